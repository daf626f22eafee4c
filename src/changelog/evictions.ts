import type { ReplicatedTable } from '../database/replicable.js';
import { nullableKeyColumns } from '../database/whole-keys.js';
import { fragment, identifier, joinSql, literal, statement, template } from '../sql/template.js';
import type { Changelog } from './changelog.js';

/*
 * A REPLACE deletes the rows that stand in its way without firing a delete trigger. Those of the written key are
 * overwritten; those of another key, met through another unique rule, vanish unlogged. Triggers that look for them
 * beforehand would have to name the rule's columns, slow every write, and change which error a bad row gets. So the
 * rows are counted instead: SQLite does that page by page, and a table has as many rows as live versions, unless some
 * vanished.
 */

/** Counting takes no more than this share of the time, but for what is counted at once. */
const MOST_TIME_COUNTING = 0.02;
const AT_ONCE_MS = 1;

/** Notes that so many rows more have a version that is no tombstone; `enterLiveChanges` writes it down. */
export function noteLive(changelog: Changelog, table: ReplicatedTable, change: number): void {
  if (change !== 0)
    changelog.liveChanges.set(table.name, (changelog.liveChanges.get(table.name) ?? 0) + change);
}

/** Enters what was noted in this transaction in the counts. */
export function enterLiveChanges(changelog: Changelog): void {
  for (const [table, change] of changelog.liveChanges) {
    changelog.prepare(statement('changelog/note-live')).run({ table, change });
  }
  changelog.liveChanges.clear();
}

/** How the number of live versions changes; fingerprints, empty for a tombstone, null for no version. */
export function liveChange(before: string | null, after: string): number {
  const isLive = (fingerprint: string | null): number => (fingerprint === null || fingerprint === '' ? 0 : 1);
  return isLive(after) - isLive(before);
}

/** Marks the tables that have lost rows unseen. Call where every entry is folded, inside the same transaction. */
export function lookForEvictions(changelog: Changelog): void {
  for (const table of changelog.tables) {
    if (!table.evicts || (changelog.countAgainMs.get(table.name) ?? 0) > performance.now()) continue;
    const counts = storedCounts(changelog, table);
    if (counts === undefined) continue;
    const started = performance.now();
    const rows = countRows(changelog, table);
    const tookMs = performance.now() - started;
    const restMs = tookMs < AT_ONCE_MS ? 0 : tookMs / MOST_TIME_COUNTING;
    changelog.countAgainMs.set(table.name, performance.now() + restMs);
    if (rows - counts.live !== counts.difference) markVanished(changelog, table);
  }
}

/** Lets the table's versions be looked through for those whose row went. */
export function markVanished(changelog: Changelog, table: ReplicatedTable): void {
  changelog.prepare(statement('changelog/mark-vanished')).run({ table: table.name });
}

/** Counts the live versions of a table that has none counted; from then on the count is kept up. Call in a write transaction. */
export function startCounting(changelog: Changelog, table: ReplicatedTable): void {
  if (countsOf(changelog, table) !== undefined) return;
  const sql = template('backfill/count-live', { tableName: literal(table.name) });
  const { live } = changelog.prepare(sql).get() as { live: number };
  changelog.prepare(statement('backfill/set-counts')).run({ table: table.name, live, difference: 0 });
}

/** How many rows more than live versions the table has now, and had when it was known that nothing had vanished. */
export function differenceOf(changelog: Changelog, table: ReplicatedTable): { now: number; known: number } {
  const counts = countsOf(changelog, table);
  if (counts === undefined) throw new TypeError(`Expected the versions of "${table.name}" to be counted`);
  return { now: countRows(changelog, table) - counts.live, known: counts.difference };
}

/** Takes this difference for one that means no loss. */
export function knowDifference(changelog: Changelog, table: ReplicatedTable, difference: number): void {
  changelog.prepare(statement('backfill/set-difference')).run({ table: table.name, difference });
}

/** Rows of a table that have a whole key: the others are no rows to us. */
export function countRows(changelog: Changelog, table: ReplicatedTable): number {
  const nulls = nullableKeyColumns(table).map((name) =>
    fragment('{{name}} IS NULL', { name: identifier(name) }),
  );
  const sql = template('backfill/count-rows', {
    table: identifier(table.name),
    keyHasNull: nulls.length === 0 ? fragment('0') : joinSql(nulls, ' OR '),
  });
  return (changelog.prepare(sql).get() as { rows: number }).rows;
}

interface Counts {
  readonly live: number;
  readonly difference: number;
}

function countsOf(changelog: Changelog, table: ReplicatedTable): Counts | undefined {
  return changelog.prepare(statement('backfill/counted')).get({ table: table.name }) as Counts | undefined;
}

/** Undefined where the table waits to be looked at anyway, or was never backfilled. */
function storedCounts(changelog: Changelog, table: ReplicatedTable): Counts | undefined {
  return changelog.prepare(statement('changelog/counts')).get({ table: table.name }) as Counts | undefined;
}
