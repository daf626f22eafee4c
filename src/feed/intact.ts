import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { SyncError } from '../errors.js';
import { REQUEST_HASH_HEADER } from '../wire/http.js';

/** A digit that the network changes in a claim or a cursor would make this replica believe what nobody said. */
export function requireIntact(request: Request): void {
  const promised = request.get(REQUEST_HASH_HEADER);
  if (promised === undefined) return;
  if (createHash('sha256').update(request.originalUrl).digest('hex') === promised) return;
  throw new SyncError('request_damaged', `the request does not match its ${REQUEST_HASH_HEADER}`, {
    hint: 'It was refused and can be sent again; if it stays so, something on the way changes requests.',
  });
}
