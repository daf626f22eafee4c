import { createHash, timingSafeEqual } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Request, RequestHandler, Response } from 'express';
import { isLoopback, parseListen } from '../config/addresses.js';
import { SyncError } from '../errors.js';
import { KEY_HEADER } from '../wire/http.js';
import type { RefusalCounts, Refusals } from './refusals.js';

/** Whether a request is let in; what is wrong with it otherwise. */
export type Judge = (request: Request) => Refusal | null;

interface Refusal {
  readonly reason: keyof RefusalCounts;
  readonly error: SyncError;
}

/**
 * Lets a request pass that sends one of the keys. Without any key only requests pass that were made to, and from a
 * page of, this machine: a web page whose name was pointed at 127.0.0.1 would otherwise read the database.
 */
export function judgeBy(keys: readonly string[]): Judge {
  const digests = keys.map(digest);
  return (request) => {
    if (digests.length === 0) return foreignTo(request);
    return isAccepted(sentKey(request), digests) ? null : { reason: 'key', error: unauthorized() };
  };
}

export function requireAccess(judge: Judge, refusals: Refusals): RequestHandler {
  return (request, response, next) => {
    const refusal = judge(request);
    if (refusal !== null) return refuse(refusal, refusals, request, response);
    next();
  };
}

/** Serves only who showed a certificate that the server's authority has issued, and says to others what is wrong. */
export function requireClientCertificate(refusals: Refusals): RequestHandler {
  return (request, response, next) => {
    const socket = request.socket as TLSSocket;
    const { authorized, authorizationError } = socket;
    // Node calls a resumed session authorized that never had a certificate.
    const isShown = socket.getPeerX509Certificate() !== undefined;
    if (authorized && isShown) {
      next();
      return;
    }
    // Node gives the code, although its type says Error.
    const code = isShown ? String(authorizationError) : NO_CERTIFICATE;
    const error = new SyncError(
      'client_certificate_refused',
      `this replica ${CERTIFICATE_FAULTS[code] ?? UNTRUSTED}`,
      {
        hint: 'Set cert and key under security.tls to a certificate that the authority of this replica has issued.',
      },
    );
    response.set('connection', 'close');
    return refuse({ reason: 'certificate', error }, refusals, request, response);
  };
}

const NO_CERTIFICATE = 'none';
const UNTRUSTED = 'does not trust the authority of the client certificate';

const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  [NO_CERTIFICATE]: 'needs a client certificate, and none was shown',
  CERT_HAS_EXPIRED: 'was shown a client certificate that has expired',
  CERT_NOT_YET_VALID: 'was shown a client certificate that is not valid yet',
};

async function refuse(
  { reason, error }: Refusal,
  refusals: Refusals,
  request: Request,
  response: Response,
): Promise<void> {
  await refusals.refused(reason, request);
  if (reason === 'key') response.set('www-authenticate', 'Bearer');
  throw error;
}

/** Whether `HOST` or `HOST:PORT` of a header names this machine. */
export function isLoopbackAuthority(authority: string): boolean {
  const hasPort = /:\d{1,5}$/.test(authority) && !/^[^[]*:[^[]*:/.test(authority);
  const address = parseListen(hasPort ? authority : `${authority}:1`);
  return address !== null && isLoopback(address.host);
}

/** What a web page of this machine makes its browser send; a page of another port of this machine is another site's. */
const OWN_SITES: ReadonlySet<unknown> = new Set([undefined, 'same-origin', 'none']);

function foreignTo(request: Request): Refusal | null {
  const { host, origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (host === undefined || !isLoopbackAuthority(host)) return foreign('Host', host);
  if (origin !== undefined && !isLoopbackOrigin(origin)) return foreign('Origin', origin);
  return OWN_SITES.has(site) ? null : foreign('Sec-Fetch-Site', String(site));
}

function isLoopbackOrigin(origin: string): boolean {
  const [, authority] = /^https?:\/\/(.+)$/.exec(origin) ?? [];
  return authority !== undefined && isLoopbackAuthority(authority);
}

function foreign(header: string, value: string | undefined): Refusal {
  const error = new SyncError(
    'host_refused',
    `the ${header} header (${value ?? 'none'}) does not name this machine`,
    {
      hint: 'Without an API key only this machine itself is served: set one, see security.api_key_env.',
    },
  );
  return { reason: 'host', error };
}

function unauthorized(): SyncError {
  return new SyncError('unauthorized', 'this replica needs an API key, and none or another was sent', {
    hint: `Send it as "${KEY_HEADER}: KEY"; it must be one of the keys that this replica accepts.`,
  });
}

function sentKey(request: Request): string {
  const key = request.headers[KEY_HEADER];
  if (typeof key === 'string') return key;
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

/** Digests have one length, and all are compared, so that the time taken tells nothing about a key. */
function isAccepted(key: string, digests: readonly Buffer[]): boolean {
  const sent = digest(key);
  return digests.reduce((accepted, known) => timingSafeEqual(sent, known) || accepted, false);
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest();
}
