import { fragment, type Sql } from '../sql/template.js';
import { RawText, type SqlValue } from '../wire/value.js';

/** What better-sqlite3 binds without loss: `bigint` as INTEGER, `number` as REAL. */
export type Bindable = null | bigint | number | string | Uint8Array;

/** The next place of a statement whose values are bound in order: text that JavaScript can't hold is bound as bytes and cast back. */
export function placeholder(value: SqlValue | undefined): Sql {
  return fragment(value instanceof RawText ? 'CAST(? AS TEXT)' : '?');
}

/** The value for its place. */
export function bindable(value: SqlValue): Bindable {
  return value instanceof RawText ? value.bytes : value;
}

/** The values for the places, in order. */
export function bindings(values: readonly SqlValue[]): Bindable[] {
  return values.map(bindable);
}

/** A place by number, `:v1` for position 1, for statements that name a value more than once. */
export function placeholderAt(value: SqlValue | undefined, position: number): Sql {
  return fragment(value instanceof RawText ? `CAST(:v${position} AS TEXT)` : `:v${position}`);
}

/** The values for the places `:v1`, `:v2` ... */
export function bindingsByPlace(values: readonly SqlValue[]): Record<string, Bindable> {
  return Object.fromEntries(bindings(values).map((value, index) => [`v${index + 1}`, value]));
}

/** Tells value lists apart that need other places: statements are kept by it. Empty for the usual list. */
export function placesOf(values: readonly SqlValue[]): string {
  if (!values.some((value) => value instanceof RawText)) return '';
  return values.map((value) => (value instanceof RawText ? 'x' : '-')).join('');
}

export function sameValue(a: SqlValue | undefined, b: SqlValue | undefined): boolean {
  if (a instanceof RawText && b instanceof RawText) return Buffer.compare(a.bytes, b.bytes) === 0;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return Object.is(a, b);
}
