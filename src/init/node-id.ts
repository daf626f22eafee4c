import { NODE_ID } from '../wire/instance.js';

const FALLBACK = 'replica';
const MAX_CHARACTERS = 64;

/** A host name made into a valid node id: `Rüdigers MacBook` becomes `Rudigers-MacBook`. */
export function nodeIdFrom(hostname: string): string {
  const id = hostname
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, MAX_CHARACTERS)
    .replace(/^-+|-+$/g, '');
  return NODE_ID.test(id) ? id : FALLBACK;
}
