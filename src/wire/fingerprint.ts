import { hash, createHash } from 'node:crypto';
import { RawText, type SqlValue } from './value.js';

/** Hex digits kept of the SHA-256: 64 bits. */
const FINGERPRINT_DIGITS = 16;

/**
 * Makes the function that hashes a row of these columns, values in the given order, to 16 lower-case hex digits.
 * Columns count by name and NULL not at all, so that neither the order of columns nor an ADD COLUMN that leaves
 * rows at NULL changes a fingerprint. INTEGER 1, REAL 1.0 and TEXT '1' differ.
 */
export function fingerprinter(columns: readonly string[]): (values: readonly SqlValue[]) => string {
  const order = columns
    .map((name, index) => ({ prefix: `${name.length}:${name}`, name, index }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return (values) => {
    let text = '';
    for (const { prefix, index } of order) {
      const value = values[index];
      if (value !== null && value !== undefined) text += prefix + canonical(value);
    }
    return hash('sha256', text, 'hex').slice(0, FINGERPRINT_DIGITS);
  };
}

/** A letter for the type, a length where one is needed, and the value. */
function canonical(value: Exclude<SqlValue, null>): string {
  if (typeof value === 'string') return `t${value.length}:${value}`;
  if (typeof value === 'bigint') return `i${value};`;
  if (typeof value === 'number') return `r${Object.is(value, -0) ? '-0' : value};`;
  if (value instanceof RawText) return `x${sha256(value.bytes)}`;
  return `b${sha256(value)}`;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
