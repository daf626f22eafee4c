import { fragment, type Sql } from '../sql/template.js';
import { RawText, type SqlValue } from '../wire/value.js';

/** What better-sqlite3 binds without loss: `bigint` as INTEGER, `number` as REAL. */
export type Bindable = null | bigint | number | string | Uint8Array;

/** The place of a value in a statement, `:v1` for position 1: text that JavaScript can't hold is bound as bytes and cast back. */
export function placeholder(value: SqlValue | undefined, position: number): Sql {
  return fragment(value instanceof RawText ? `CAST(:v${position} AS TEXT)` : `:v${position}`);
}

/** The values for the places `:v1`, `:v2` ... in order. */
export function bindings(values: readonly SqlValue[]): Record<string, Bindable> {
  const bound: Record<string, Bindable> = {};
  for (const [index, value] of values.entries()) {
    bound[`v${index + 1}`] = value instanceof RawText ? value.bytes : value;
  }
  return bound;
}

export function sameValue(a: SqlValue | undefined, b: SqlValue | undefined): boolean {
  if (a instanceof RawText && b instanceof RawText) return Buffer.compare(a.bytes, b.bytes) === 0;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return Object.is(a, b);
}
