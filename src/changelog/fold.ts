import { recordColumns } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { joinSql, literal, statement, template, type Sql } from '../sql/template.js';
import { fingerprinter } from '../wire/fingerprint.js';
import { authorOf, readReplica, tableNamed, type Changelog } from './changelog.js';
import { enterLiveChanges, liveChange, lookForEvictions, noteLive } from './evictions.js';
import { foldHoles, recordIsWhole } from './fold-holes.js';
import { foldAtOnce } from './fold-at-once.js';
import { BACKFILLED, claimedMs } from './fold-stamp.js';
import { nearHorizonOf } from './horizon.js';
import { drawMark, headOf } from './marks.js';
import { nextVersion, type FoldClock, type Present } from './next-version.js';
import { exactKey, exactRow } from './row.js';
import { lookForOpenConflicts, settleSeen } from './settle.js';

export interface FoldOptions extends FoldClock {
  /** Raw entries read at most. */
  readonly limit: number;
}

export interface FoldResult {
  readonly entries: number;
  readonly versions: number;
  /** False where every entry is folded now. */
  readonly more: boolean;
  /** Tables in which rows with NULL in their key were written: those can't be replicated, and were left out. */
  readonly keyless: readonly string[];
}

interface FoldRow {
  rawId: number;
  keyHash: number;
  writtenMs: number | null;
  deletedMs: number | null;
  present: number;
  rowTimestamp: unknown;
  softDeleted: number;
  /** Null where there is no row, or its text has to be read byte for byte. */
  fingerprint: string | null;
  oldId: number | null;
  oldRank: number;
  oldStamp: number | null;
  oldNewestMs: number | null;
  oldOrigin: number | null;
  oldFingerprint: string | null;
  oldSeen: string | null;
}

/**
 * Turns the next raw entries into versions, one a row, sorted by key, and drops the entries that they replace. Reads
 * each row as it is now, not as the trigger saw it. Call inside a write transaction.
 */
export function foldBatch(changelog: Changelog, options: FoldOptions): FoldResult {
  changelog.liveChanges.clear();
  const { folded } = readReplica(changelog.database);
  const batch = nextBatch(changelog, folded, options.limit);
  if (batch.last === null) {
    setFolded(changelog, folded, headOf(changelog.database));
    lookForEvictions(changelog);
    return { entries: 0, versions: 0, more: false, keyless: [] };
  }
  lookForOpenConflicts(changelog, options.nowMs);
  const range = { folded, last: batch.last };
  let versions = 0;
  const keyless: string[] = [];
  for (const { name, entries } of tablesIn(changelog, range)) {
    const table = tableNamed(changelog, name);
    // Its entries are dropped.
    if (table === undefined) changelog.prepare(statement('backfill/compare-anew')).run({ table: name });
    else {
      versions += foldTable(changelog, table, { ...range, entries }, options);
      if (hasKeyless(changelog, table, range)) keyless.push(name);
    }
  }
  enterLiveChanges(changelog);
  changelog.prepare(statement('fold/drop-raw')).run(range);
  if (versions > 0) drawMark(changelog.database);
  const more = batch.more === 1;
  if (!more) lookForEvictions(changelog);
  setFolded(changelog, folded, more ? batch.last : headOf(changelog.database));
  return { entries: batch.entries, versions, more, keyless };
}

/** Whether no entry waits for the fold. */
export function isFolded(changelog: Changelog): boolean {
  return nextBatch(changelog, readReplica(changelog.database).folded, 1).last === null;
}

function hasKeyless(changelog: Changelog, table: ReplicatedTable, range: Range): boolean {
  const sql = template('fold/keyless', {
    tableName: literal(table.name),
    recordIsWhole: recordIsWhole(table),
  });
  return (changelog.prepare(sql).get(range) as { found: number }).found === 1;
}

interface Range {
  readonly folded: number;
  readonly last: number;
}

interface TableBatch extends Range {
  /** Raw entries of the table in it. */
  readonly entries: number;
}

function nextBatch(changelog: Changelog, folded: number, limit: number) {
  return changelog.prepare(statement('fold/batch')).get({ folded, limit }) as {
    entries: number;
    last: number | null;
    more: 0 | 1;
  };
}

function tablesIn(changelog: Changelog, range: Range) {
  return changelog.prepare(statement('fold/tables')).all(range) as { name: string; entries: number }[];
}

function setFolded(changelog: Changelog, before: number, folded: number): void {
  if (folded !== before) changelog.prepare(statement('changelog/set-folded')).run({ folded });
}

function foldTable(
  changelog: Changelog,
  table: ReplicatedTable,
  batch: TableBatch,
  clock: FoldClock,
): number {
  const author = authorOf(changelog, table);
  const originId = changelog.origins.idOf(author.origin);
  const horizon = nearHorizonOf(changelog, table.name, clock.nowMs);
  // Where conflicts are open each version may settle some: one by one.
  const atOnce = changelog.settling.nowMs === null;
  const newest = headOf(changelog.database);
  let versions = atOnce
    ? foldAtOnce(changelog, table, { ...batch, author, originId, horizon, newest }, clock)
    : 0;
  if (versions === batch.entries) return versions;
  const insert = changelog.prepareAs(`fold ${table.name}`, () => insertVersionSql(table));
  const drop = changelog.prepare(statement('changelog/delete-entry'));
  const select = changelog.prepareAs(`fold rows ${table.name}`, () =>
    template('fold/rows', foldHoles(table)),
  );
  const rows = select.all({ folded: batch.folded, last: batch.last, newest }) as FoldRow[];
  let live = 0;
  for (const row of rows) {
    const fingerprint = fingerprintOf(changelog, table, row);
    const version = nextVersion(
      presentVersion(changelog, row),
      {
        fingerprint,
        claimedMs: claimOf(table, row),
        horizon: row.writtenMs === BACKFILLED ? null : horizon,
      },
      author,
      clock,
    );
    if (version === null) continue;
    if (row.oldId !== null) drop.run({ id: row.oldId });
    insert.run({
      rawId: row.rawId,
      keyHash: row.keyHash,
      operation: operationOf(row),
      rank: version.rank,
      stamp: version.stamp,
      origin: originId,
      fingerprint,
      seen: version.seen === null ? null : JSON.stringify(version.seen),
    });
    settleSeen(changelog, table, () => exactKey(changelog, table, row.rawId), version);
    versions += 1;
    live += liveChange(row.oldFingerprint, fingerprint);
  }
  noteLive(changelog, table, live);
  return versions;
}

function fingerprintOf(changelog: Changelog, table: ReplicatedTable, row: FoldRow): string {
  if (row.present === 0) return '';
  return row.fingerprint ?? fingerprinter(table.columns)(exactRow(changelog, table, row.rawId));
}

function presentVersion(changelog: Changelog, row: FoldRow): Present | null {
  if (row.oldStamp === null || row.oldNewestMs === null || row.oldOrigin === null) return null;
  const version = {
    rank: row.oldRank,
    stamp: row.oldStamp,
    origin: changelog.origins.nameOf(row.oldOrigin),
    fingerprint: row.oldFingerprint ?? '',
    seen: row.oldSeen === null ? null : (JSON.parse(row.oldSeen) as Record<string, number>),
  };
  return { version, newestMs: row.oldNewestMs };
}

function claimOf(table: ReplicatedTable, row: FoldRow): number | null {
  if (row.present === 0) return row.deletedMs;
  return claimedMs(table.config.timestampFormat, row.rowTimestamp, row.writtenMs);
}

function operationOf(row: FoldRow): 'INSERT' | 'UPDATE' | 'DELETE' {
  if (row.present === 0 || row.softDeleted === 1) return 'DELETE';
  return row.oldId === null || row.oldFingerprint === '' ? 'INSERT' : 'UPDATE';
}

function insertVersionSql(table: ReplicatedTable): Sql {
  return template('fold/insert-version', {
    recordColumns: joinSql(recordColumns(table.key.length), ', '),
  });
}
