import { resolve } from 'node:path';
import type { Config, TlsConfig } from './config.js';
import type { Fault } from './faults.js';
import type { ConfigFile } from './schema.js';

type TlsSection = ConfigFile['security']['tls'];

/** With the paths made absolute: relative ones are relative to `folder`. */
export function tlsConfigOf(tls: TlsSection, folder: string): TlsConfig | null {
  if (tls === null) return null;
  const absolute = (path: string | null) => (path === null ? null : resolve(folder, path));
  return {
    certFile: absolute(tls.cert),
    keyFile: absolute(tls.key),
    caFile: absolute(tls.ca),
    requireClientCert: tls.require_client_cert,
  };
}

/** Files that are of no use without others. What the files hold is judged when they are read. */
export function tlsFaults(tls: TlsSection): Fault[] {
  if (tls === null) return [];
  const missing = (key: string, message: string): Fault => ({ path: ['security', 'tls', key], message });
  const { cert, key, ca, require_client_cert: required } = tls;
  return [
    ...(cert === null && key !== null ? [missing('cert', 'expected the certificate of that key')] : []),
    ...(cert !== null && key === null ? [missing('key', 'expected the key of that certificate')] : []),
    ...(required && ca === null
      ? [missing('ca', 'expected the authority of the certificates that require_client_cert asks for')]
      : []),
    ...(required && cert === null && key === null
      ? [missing('cert', 'expected a certificate and its key, without which there is no HTTPS')]
      : []),
    ...(cert === null && key === null && ca === null && !required
      ? [missing('cert', 'expected a certificate and its key, or ca, or both')]
      : []),
  ];
}

/** Whether the feed is served over HTTPS. */
export function servesTls({ tls }: Pick<Config['security'], 'tls'>): boolean {
  return tls !== null && tls.certFile !== null;
}
