import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { foldBatch } from '../changelog/fold.js';
import { captureOf } from '../changelog/triggers.js';
import type { Config } from '../config/config.js';
import { checkTables } from '../database/check-tables.js';
import { registerKeyHash } from '../database/key-hash.js';
import { planMigration, requireMigrated } from '../database/migrate.js';
import { environmentError, isBusy, openForWriting } from '../database/open.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { messageOf, SyncError } from '../errors.js';
import { fragment, identifier, statement, template, verbatim, type Sql } from '../sql/template.js';
import { ChangelogAtSchema } from '../changelog/changelog-at.js';
import { formatCursor } from '../wire/cursor.js';
import type { SnapshotDescription } from '../wire/snapshot.js';
import { hashOf } from '../wire/snapshot-hash.js';
import { SNAPSHOT_FORMAT } from '../wire/snapshot-format.js';
import { copyEntries, copyGroup, copyRows, inspectSource, isVerbatim, type Copied } from './copy.js';
import { instanceOf } from '../wire/instance.js';

export interface BuiltSnapshot {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Raw entries that one transaction folds at most. */
const FOLD_BATCH = 10_000;
/** The application commits between a fold and the look at what it left, now and then. */
const MAX_FOLD_ATTEMPTS = 1000;
/** Times that the schema may change while a snapshot of it is begun. */
const MAX_SCHEMA_ATTEMPTS = 5;
/** Pages that are kept in memory while the file is written, in KiB. */
const CACHE_KIB = 32 * 1024;

interface SourceState {
  readonly node: string;
  readonly epoch: string;
  readonly renewed: number;
  readonly logId: number;
  readonly mark: string;
  readonly unfolded: number;
}

/**
 * Writes a database file that holds the replicated tables of one moment, with their versions: all that a new replica
 * needs to go on from this one's head. Works on connections of its own; the application and the replica go on meanwhile.
 * Rejects with `database_busy`, `snapshot_failed`, or what keeps the tables from being replicated.
 */
export async function buildSnapshot(config: Config, file: string): Promise<BuiltSnapshot> {
  try {
    writeSnapshot(config, file);
    return { bytes: statSync(file).size, sha256: await hashOf(file) };
  } catch (error) {
    rmSync(file, { force: true });
    if (error instanceof SyncError) throw error;
    if (isBusy(error)) throw tooBusy(config, error);
    throw environmentError(config.database.path, error) ?? failed(config, error);
  }
}

function writeSnapshot(config: Config, file: string): void {
  const source = openForWriting(config, config.database.busyTimeoutMs);
  try {
    requireMigrated(source);
    const at = new ChangelogAtSchema(source, config);
    for (let attempt = 1; ; attempt += 1) {
      fold(source, at, config);
      const schemaVersion = schemaVersionOf(source, 'main');
      const tables = checkTables(config, source);
      const target = createTarget(source, file);
      try {
        const triggers = createTables(source, target, config, tables);
        target.prepare(statement('snapshot/attach')).run({ path: config.database.path });
        const state = beginAtFold(() => {
          fold(source, at, config);
        }, target);
        if (schemaVersionOf(target, 'source') === schemaVersion) {
          copyAll(target, config, tables, state);
          target.exec('COMMIT');
          target.exec(statement('snapshot/detach'));
          for (const sql of triggers) target.exec(sql);
          return;
        }
      } finally {
        target.close();
      }
      if (attempt === MAX_SCHEMA_ATTEMPTS) throw tooBusy(config);
    }
  } finally {
    source.close();
  }
}

/** Enters in the versions what the application has written; the caller's fold goes first, this one finds little. */
function fold(source: Database, at: ChangelogAtSchema, config: Config): void {
  const batch = source.transaction(() => {
    at.repair();
    const clock = { nowMs: Date.now(), maxSkewMs: config.clock.maxSkewMs };
    return foldBatch(at.current(), { limit: FOLD_BATCH, ...clock });
  });
  while (batch.immediate().more);
}

/** An empty database file that nobody reads who may not read the source. Nothing of it has to survive a crash. */
function createTarget(source: Database, file: string): Database {
  rmSync(file, { force: true });
  closeSync(openSync(file, 'wx', statSync(source.name).mode & 0o777));
  const target = new BetterSqlite3(file, { fileMustExist: true, timeout: 0 });
  registerKeyHash(target);
  for (const name of ['page_size', 'encoding', 'application_id']) {
    target.pragma(`${name} = ${pragmaText(source.pragma(name, { simple: true }))}`);
  }
  target.pragma('journal_mode = OFF');
  target.pragma('synchronous = OFF');
  target.pragma('foreign_keys = OFF');
  target.pragma(`cache_size = -${CACHE_KIB}`);
  return target;
}

function pragmaText(value: unknown): string {
  return typeof value === 'number' ? String(value) : `'${String(value)}'`;
}

/** Makes the tables as the source has them, and ours as for a new replica; returns the triggers, to be made in the end. */
function createTables(
  source: Database,
  target: Database,
  config: Config,
  tables: readonly ReplicatedTable[],
): Sql[] {
  const capture = captureOf(tables);
  const wish = {
    node: config.node.id,
    ...capture,
    guard: [],
    journalModeBefore: null,
    nowMs: Date.now(),
  };
  target.transaction(() => {
    for (const { name } of tables) for (const sql of textsOf(source, 'main', name, 'table')) target.exec(sql);
    for (const sql of planMigration(target, wish)) target.exec(sql);
    // SQLite copies into a table without triggers only.
    for (const { name } of capture.triggers) {
      target.exec(template('migrate/drop-trigger', { trigger: identifier(name) }));
    }
    target.exec(statement('snapshot/create-description'));
  })();
  return capture.triggers.map(({ sql }) => sql);
}

function textsOf(
  database: Database,
  schema: 'main' | 'source',
  table: string,
  type: 'table' | 'index',
): Sql[] {
  const sql = template('snapshot/texts', { schema: fragment(schema) });
  const rows = database.prepare<[object], { sql: string }>(sql).all({ table, type });
  return rows.map((row) => verbatim(row.sql));
}

/**
 * Begins a read transaction in which every entry is folded: a row that was written since would have to be left out, and
 * could not come later where the fold finds it as it was. The moment after a fold is such a one, unless the application
 * commits in between.
 */
function beginAtFold(foldAgain: () => void, target: Database): SourceState {
  for (let attempt = 1; attempt <= MAX_FOLD_ATTEMPTS; attempt += 1) {
    foldAgain();
    target.exec('BEGIN');
    const state = target.prepare<[], SourceState>(statement('snapshot/source')).get();
    if (state === undefined) throw new TypeError('Expected _sync_replica to hold one row');
    if (state.unfolded === 0) return state;
    target.exec('ROLLBACK');
  }
  throw new SyncError(
    'database_busy',
    'The application never pauses for long enough to read between two writes.',
    {
      hint: 'It is tried again; if this stays, clone at a quieter time.',
    },
  );
}

function copyAll(
  target: Database,
  config: Config,
  tables: readonly ReplicatedTable[],
  state: SourceState,
): void {
  const copied = inspectSource(target, tables);
  copyGroup(target, instanceOf(state));
  copyEntries(target, copied, instanceOf(state));
  for (const each of copied) copyWithIndexes(target, each);
  target.prepare(statement('changelog/set-folded')).run({ folded: state.logId });
  const description = JSON.stringify(describe(config, tables, state));
  target.prepare(statement('snapshot/describe')).run({ description });
}

/** SQLite copies the entries of an index that is there; where the rows are inserted one by one it is made afterwards. */
function copyWithIndexes(target: Database, copied: Copied): void {
  const { name } = copied.table;
  const createIndexes = (): void => {
    for (const sql of textsOf(target, 'source', name, 'index')) target.exec(sql);
  };
  if (isVerbatim(copied)) createIndexes();
  const live = copyRows(target, copied);
  if (!isVerbatim(copied)) createIndexes();
  target.prepare(statement('backfill/set-counts')).run({ table: name, live, difference: 0 });
}

function describe(
  config: Config,
  tables: readonly ReplicatedTable[],
  { node, epoch, renewed, logId, mark }: SourceState,
): SnapshotDescription {
  return {
    format: SNAPSHOT_FORMAT,
    node,
    epoch,
    cursor: formatCursor({ epoch, logId, mark }),
    renewed: renewed === 1,
    tables: tables.map(({ name, key, config: table }) => ({
      name,
      primary_key: key.map((column) => column.name),
      timestamp_column: table.timestampColumn,
      timestamp_format: table.timestampFormat,
      soft_delete_column: table.softDeleteColumn,
      conflict_resolution: table.conflictResolution,
      preferred_node: table.preferredNode,
      resolver: table.resolver === null ? null : basename(table.resolver),
      exclude_columns: [...table.excludeColumns],
      allow_integer_key: table.allowIntegerKey,
    })),
  };
}

function schemaVersionOf(database: Database, schema: 'main' | 'source'): unknown {
  return database.pragma(`${schema}.schema_version`, { simple: true });
}

function tooBusy(config: Config, cause?: unknown): SyncError {
  return new SyncError('database_busy', `${config.database.path} is too busy for a snapshot.`, {
    hint: 'It is tried again; if this stays, look for a program that leaves a transaction open.',
    cause,
  });
}

function failed(config: Config, cause: unknown): SyncError {
  return new SyncError(
    'snapshot_failed',
    `No snapshot of ${config.database.path} can be made: ${messageOf(cause)}.`,
    {
      hint: 'Start the new replica with the schema of your application, migrate and start instead of clone.',
      cause,
    },
  );
}
