import { readStates } from '../apply/row-state.js';
import type { Changelog } from '../changelog/changelog.js';
import { readStretch, sumOf, type KeyRange } from '../changelog/stretch.js';
import type { ReplicatedTable } from '../database/replicable.js';
import type { FoundRow } from '../wire/found-row.js';
import type { RowState } from '../wire/row-state.js';
import { addSums, EMPTY_SUM, type Sum } from '../wire/sums.js';
import type { SqlValue } from '../wire/value.js';

/** Rows read at once. */
const STRETCH_ROWS = 2_000;

/** A table here, in the columns that the peer has too. */
export interface ComparedTable {
  readonly table: ReplicatedTable;
  readonly columns: readonly string[];
}

/** What stands for the rows of a range here. */
export function localSum(changelog: Changelog, compared: ComparedTable, range: KeyRange): Sum {
  let sum = EMPTY_SUM;
  for (const rows of stretches(changelog, compared, range)) sum = addSums(sum, sumOf(rows));
  return sum;
}

/** The rows of a range here, some at a time. */
export function* stretches(
  changelog: Changelog,
  { table, columns }: ComparedTable,
  range: KeyRange,
): Generator<FoundRow[]> {
  let { after } = range;
  for (;;) {
    const rows = readStretch(changelog, table, { ...range, after }, { columns, limit: STRETCH_ROWS });
    yield rows;
    const last = rows.at(-1);
    if (rows.length < STRETCH_ROWS || last === undefined) return;
    after = last.key;
  }
}

/** How rows stand here. */
export function localStates(
  changelog: Changelog,
  { table, columns }: ComparedTable,
  keys: readonly (readonly SqlValue[])[],
): RowState[] {
  return readStates(changelog, table, keys, columns).map(({ state }) => state);
}
