import { createHash } from 'node:crypto';
import { REQUEST_HASH_HEADER } from '../wire/http.js';

/** The header by which the other side refuses a request whose path or query the network has changed. */
export function intact(path: string): Record<string, string> {
  return { [REQUEST_HASH_HEADER]: createHash('sha256').update(path).digest('hex') };
}
