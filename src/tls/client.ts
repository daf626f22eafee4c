import { checkServerIdentity, type PeerCertificate, type TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import { readTlsFiles, type TlsFiles, type TlsSettings } from './files.js';

/** What a connection to an `https://` address trusts and shows. PEM. */
export interface ClientTls {
  /** Absent: the authorities of Node. */
  readonly ca?: Buffer;
  /** Shown to a peer that asks for it. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Judges the other side in place of the usual rules. */
  readonly accepts?: (socket: TLSSocket) => boolean;
}

/** What counts now: another object after each reload. */
export interface TlsSource {
  readonly current: ClientTls;
}

export function clientTls({ ca, cert, key }: TlsFiles): ClientTls {
  return {
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
  };
}

/** For a command, which is over before a certificate changes; null without `security.tls`. Throws as `readTlsFiles`. */
export function tlsOf(settings: TlsSettings): TlsSource | null {
  const files = readTlsFiles(settings, Date.now());
  return files === null ? null : { current: clientTls(files) };
}

/**
 * For the own daemon, which is asked at an address that its certificate need not name: it shows the configured
 * certificate, or, just before it reloads that, another one of the configured authority.
 */
export function ownDaemonTls(files: TlsFiles): ClientTls {
  const isOurs = (socket: TLSSocket) =>
    socket.getPeerX509Certificate()?.fingerprint256 === files.fingerprint ||
    (files.ca !== null && socket.authorized);
  return { ...clientTls(files), accepts: isOurs };
}

/**
 * undici's `connect` option. The certificate of the other side must name the host that is asked, or one of `alsoNamed`.
 */
export function connectOption(
  timeoutMs: number,
  tls: ClientTls | undefined,
  alsoNamed: readonly string[] = [],
): buildConnector.BuildOptions | buildConnector.connector {
  const { accepts, ...material } = tls ?? {};
  const names = alsoNamed.length === 0 ? {} : { checkServerIdentity: identityCheck(alsoNamed) };
  const options = { timeout: timeoutMs, ...material, ...names };
  if (accepts === undefined) return options;
  const open = buildConnector({
    ...options,
    rejectUnauthorized: false,
    // The host is not looked at, so that `authorized` tells of the authority alone.
    checkServerIdentity: () => undefined,
    maxCachedSessions: 0,
  });
  return (target, callback) => {
    open(target, (...[error, socket]) => {
      if (error !== null) callback(error, null);
      else if (accepts(socket as TLSSocket)) callback(null, socket);
      else {
        socket.destroy();
        callback(Object.assign(new Error('another certificate'), { code: 'CERT_UNTRUSTED' }), null);
      }
    });
  };
}

/** As `checkServerIdentity` of `node:tls`: undefined, or what is wrong with the name. */
function identityCheck(alsoNamed: readonly string[]) {
  return (host: string, certificate: PeerCertificate): Error | undefined => {
    const named = alsoNamed.some((name) => checkServerIdentity(name, certificate) === undefined);
    return named ? undefined : checkServerIdentity(host, certificate);
  };
}
