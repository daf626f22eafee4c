import type { Database } from 'better-sqlite3';
import { toWireJson } from '../wire/value.js';
import type { PlainValue } from './row.js';

/** Registers `sync_wire_value(value)`: JSON of what SQLite would not write as both ends read it (see sql/feed/wire-value.sql). */
export function registerWireValue(database: Database): void {
  const wireValue = (value: PlainValue) => toWireJson(value);
  database.function(
    'sync_wire_value',
    { deterministic: true, safeIntegers: true },
    wireValue as (...values: unknown[]) => unknown,
  );
}
