import { countRows } from '../changelog/evictions.js';
import { isSameName, type Changelog } from '../changelog/changelog.js';
import type { ReplicatedTable } from '../database/replicable.js';
import type { FingerprintClient } from '../pull/fingerprint-client.js';
import type { Shapes, TableShape } from '../wire/fingerprints.js';
import { findSuspects } from './descend.js';
import type { ComparedTable } from './local-side.js';
import { lookAgain, type Difference } from './look.js';

export interface TableResult {
  readonly compared: ComparedTable;
  /** Rows here that were compared. */
  readonly rows: number;
  readonly differences: readonly Difference[];
  /** True where there were too many to look at all of them. */
  readonly more: boolean;
  /** Rows that were written at every look, and so were not compared. */
  readonly inMotion: number;
  /** Why the table can't be compared; null where it was. */
  readonly fault: string | null;
}

export interface VerifyParts {
  readonly changelog: Changelog;
  readonly peer: FingerprintClient;
  readonly settle: () => Promise<unknown>;
  readonly onProgress: (rows: number) => void;
}

/** Compares a table with the peer's; names the rows that differ though nothing is on its way. */
export async function verifyTable(
  parts: VerifyParts,
  table: ReplicatedTable,
  shapes: Shapes,
): Promise<TableResult> {
  const shape = shapes.tables.find(({ name }) => isSameName(name, table.name));
  const compared = { table, columns: commonColumns(table, shape) };
  const empty = { compared, rows: 0, differences: [], more: false, inMotion: 0 };
  const fault = faultOf(table, shape);
  if (fault !== null) return { ...empty, fault };
  const search = { ...parts, compared };
  const { rows, keys, more } = await findSuspects(search, countRows(parts.changelog, table));
  const { differences, inMotion } = await lookAgain(search, keys);
  return { compared, rows, differences, more, inMotion, fault: null };
}

function faultOf(table: ReplicatedTable, shape: TableShape | undefined): string | null {
  if (shape === undefined) return 'the peer does not replicate this table';
  const isSameKey =
    shape.key.length === table.key.length &&
    table.key.every(({ name }, place) => isSameName(name, shape.key[place] ?? ''));
  return isSameKey ? null : `its key is (${shape.key.join(', ')}) at the peer`;
}

function commonColumns(table: ReplicatedTable, shape: TableShape | undefined): string[] {
  const theirs = new Set(shape?.columns.map((name) => name.toLowerCase()));
  return table.columns.filter((name) => theirs.has(name.toLowerCase()));
}
