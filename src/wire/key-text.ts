import { toWire, type SqlValue } from './value.js';

/** A key as one text, the same for the same key on every replica. */
export function keyText(key: readonly SqlValue[]): string {
  return JSON.stringify(key.map(toWire));
}
