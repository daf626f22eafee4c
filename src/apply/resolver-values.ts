import { sameValue } from '../database/bind.js';
import type { ReplicatedTable } from '../database/replicable.js';
import type { ResolverRow, ResolverValue } from '../config/resolvers.js';
import { RawText, type SqlValue } from '../wire/value.js';

/** A row by replicated column; null where that side deleted it. */
export type Row = ReadonlyMap<string, SqlValue> | null;

/** What a resolver did is no merge. */
export class NotMerged extends Error {}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** The row as a resolver gets it, to keep or to change. */
export function toResolver(row: Row): ResolverRow {
  if (row === null) return null;
  return Object.fromEntries([...row].map(([name, value]) => [name, toResolverValue(value)]));
}

export function toResolverValue(value: SqlValue): ResolverValue {
  if (typeof value === 'bigint') return value <= MAX_SAFE && value >= -MAX_SAFE ? Number(value) : value;
  if (value instanceof RawText) return Buffer.from(value.bytes).toString('utf8');
  return value instanceof Uint8Array ? Uint8Array.from(value) : value;
}

/**
 * Reads what a resolver has returned. A value that a side has too, the newer one first, is that side's to the byte.
 * Columns that the sender of the change does not have may be left out. Throws `NotMerged`.
 */
export function fromResolver(
  table: ReplicatedTable,
  answer: unknown,
  sides: { readonly newer: Row; readonly older: Row; readonly remote: Row },
): Row {
  if (answer === null) return null;
  const given = new Map(Object.entries(requireRow(answer)));
  for (const name of given.keys()) {
    if (!table.columns.includes(name))
      throw new NotMerged(`the resolver returned an unknown column "${name}"`);
  }
  const row = new Map<string, SqlValue>();
  for (const name of table.columns) {
    if (!given.has(name)) {
      if (sides.remote?.has(name) === false) continue;
      throw new NotMerged(`the resolver returned a row without column "${name}"`);
    }
    row.set(name, exactOf(given.get(name), sides, name) ?? newValue(given.get(name), name));
  }
  requireKey(table, row, sides);
  return row;
}

function requireRow(answer: unknown): object {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer) || ArrayBuffer.isView(answer)) {
    throw new NotMerged(`the resolver returned ${kindOf(answer)}, neither a row nor null`);
  }
  if ('then' in answer && typeof answer.then === 'function') {
    // Nobody waits for it: its failure must not end the process.
    Promise.resolve(answer).catch(() => undefined);
    throw new NotMerged('the resolver returned a promise, but has to answer at once');
  }
  return answer;
}

function requireKey(table: ReplicatedTable, row: ReadonlyMap<string, SqlValue>, sides: Sides): void {
  const isKeyOf = (side: Row): boolean =>
    side !== null && table.key.every(({ name }) => sameValue(row.get(name), side.get(name)));
  if (!isKeyOf(sides.newer) && !isKeyOf(sides.older))
    throw new NotMerged('the resolver returned a row of another key');
}

interface Sides {
  readonly newer: Row;
  readonly older: Row;
}

function exactOf(value: unknown, { newer, older }: Sides, name: string): SqlValue | undefined {
  return [newer?.get(name), older?.get(name)].find(
    (exact) => exact !== undefined && Object.is(toResolverValue(exact), value),
  );
}

function newValue(value: unknown, name: string): SqlValue {
  if (value === null) return null;
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value;
  if (typeof value === 'number' && !Number.isNaN(value)) {
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
  }
  if (typeof value === 'string' && value.isWellFormed()) return value;
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  throw new NotMerged(`the resolver returned ${kindOf(value)} for column "${name}", which SQLite can't hold`);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null)
    return `an object (${value.constructor?.name ?? 'no class'})`;
  if (typeof value === 'bigint') return 'an integer of more than 64 bits';
  if (typeof value === 'string') return 'a text that is not well-formed Unicode';
  return typeof value === 'number' ? 'NaN' : `a ${typeof value}`;
}
