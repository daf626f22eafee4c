import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { isLoopback } from '../config/addresses.js';
import { SyncError } from '../errors.js';
import { KEY_HEADER } from '../wire/http.js';

/**
 * Lets a request pass that sends one of the keys. Without any key only requests pass that were made to, and from a
 * page of, this machine: a web page whose name was pointed at 127.0.0.1 would otherwise read the database.
 */
export function requireAccess(keys: readonly string[]): RequestHandler {
  const digests = keys.map(digest);
  return (request, response, next) => {
    if (digests.length === 0) requireLoopback(request);
    else if (!isAccepted(sentKey(request), digests)) {
      response.set('www-authenticate', 'Bearer');
      throw new SyncError('unauthorized', 'this replica needs an API key, and none or another was sent', {
        hint: `Send it as "${KEY_HEADER}: KEY"; it must be one of the keys that this replica accepts.`,
      });
    }
    next();
  };
}

/** Whether `HOST` or `HOST:PORT` of a header names this machine. */
export function isLoopbackAuthority(authority: string): boolean {
  const url = `http://${authority}`;
  return URL.canParse(url) && isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ''));
}

function requireLoopback(request: Request): void {
  const { host, origin } = request.headers;
  if (host === undefined || !isLoopbackAuthority(host)) throw refused('Host', host);
  if (origin !== undefined && !isLoopbackAuthority(origin.replace(/^https?:\/\//, ''))) {
    throw refused('Origin', origin);
  }
}

function refused(header: string, value: string | undefined): SyncError {
  return new SyncError(
    'host_refused',
    `the ${header} header (${value ?? 'none'}) does not name this machine`,
    {
      hint: 'Without an API key only this machine itself is served: set one, see security.api_key_env.',
    },
  );
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
