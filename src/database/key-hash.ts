import type { Database } from 'better-sqlite3';
import { fragment, literal, type Sql } from '../sql/template.js';
import type { RawText, SqlValue } from '../wire/value.js';

/*
 * A version is found by a hash of its row's key: the whole key would stand in the index once more, which took more room
 * than the rest of the index and half of the entry. Who looks compares table and key too, so that two keys may share one.
 */

/** FNV-1a of 32 bits. */
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** After each part, so that ('ab', 'c') is not ('a', 'bc'); no code unit of a well-formed text has this value. */
const END_OF_PART = 0x1ffff;

/** REAL values within these may be equal to an INTEGER. */
const INT64_MIN = -(2 ** 63);
const INT64_MAX = 2 ** 63;

/** Text that is not clean is to be hashed by SQLite: what it holds depends on the database's encoding. */
export type CleanValue = Exclude<SqlValue, RawText>;

/** Registers `sync_key_hash(table, key...)`: the hash of a key as SQLite holds it; NULL does not count. */
export function registerKeyHash(database: Database): void {
  database.function(
    'sync_key_hash',
    { varargs: true, deterministic: true, safeIntegers: true },
    (table: unknown, ...key: unknown[]) => keyHash(table as string, key as CleanValue[]),
  );
}

/** The call of that function on the columns of a key. */
export function keyHashCall(table: string, columns: Sql): Sql {
  return fragment('sync_key_hash({{tableName}}, {{columns}})', { tableName: literal(table), columns });
}

/** The same for values outside of SQLite: 32 bits with a sign. Keys that are equal to SQLite have the same. */
export function keyHash(table: string, key: readonly CleanValue[]): number {
  let hash = mix(OFFSET_BASIS, table);
  for (const value of key) if (value !== null) hash = mix(hash, textOf(value));
  return hash;
}

function mix(before: number, text: string): number {
  let hash = before;
  for (let place = 0; place < text.length; place += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(place), PRIME);
  }
  return Math.imul(hash ^ END_OF_PART, PRIME);
}

function textOf(value: Exclude<CleanValue, null>): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return numberText(value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
}

/** 1 and 1.0 are one key. */
function numberText(value: number): string {
  const isWhole = Number.isInteger(value) && value >= INT64_MIN && value < INT64_MAX;
  return isWhole ? BigInt(value).toString() : String(value);
}
