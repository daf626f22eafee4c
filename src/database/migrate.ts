import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { SyncError } from '../errors.js';
import { packageRoot } from '../package-root.js';
import { fragment, joinSql, literal, statement, template, type Sql } from '../sql/template.js';
import { planGuarding, planUnguarding, type AppTrigger } from './app-triggers.js';
import { registerKeyHash } from './key-hash.js';
import { recordColumns } from './record-columns.js';
import { planTriggers, type WantedTrigger } from './trigger-plan.js';

export interface MigrationWish {
  readonly node: string;
  /** Key columns of the widest configured key. */
  readonly keyColumns: number;
  readonly triggers: readonly WantedTrigger[];
  /** The app's triggers that are to rest while remote changes are applied. */
  readonly guard: readonly AppTrigger[];
  /** The journal mode that `migrate --down` is to put back; null where it stays. */
  readonly journalModeBefore: string | null;
  readonly nowMs: number;
}

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: Sql;
}

/** The migration that made the changelog find versions by a hash of their key. */
const KEY_HASH_MIGRATION = 9;

/** Whether this database was ever migrated. */
export function isMigrated(database: Database): boolean {
  return exists(database, 'migrate/has-our-tables');
}

/** Throws `not_migrated` where the tables of this release are not there, `database_newer` where a newer one made them. */
export function requireMigrated(database: Database): void {
  const known = migrations();
  const applied = isMigrated(database) ? appliedNumbers(database) : [];
  if (applied.some((number) => !known.some((migration) => migration.number === number))) {
    throw new SyncError(
      'database_newer',
      'The database was migrated by a newer release of sqlite-p2p-sync.',
      {
        hint: 'Update this installation.',
      },
    );
  }
  if (known.some((migration) => !applied.includes(migration.number)) || !isCapturing(database)) {
    throw new SyncError(
      'not_migrated',
      'The database is not prepared for replication, or no longer, or by an older release.',
      {
        hint: 'Run: sqlite-p2p-sync migrate',
      },
    );
  }
}

/** The statements that bring the database to what is wished; empty where nothing is to do. Writes nothing. */
export function planMigration(database: Database, wish: MigrationWish): Sql[] {
  return [
    ...planTables(database, wish),
    ...planCapture(database, wish),
    ...planCapturing(database),
    ...planJournalMode(database, wish),
    ...planGuarding(wish.guard),
  ];
}

/** The statements that make the changelog hold these keys, and our triggers exactly these. */
export function planCapture(database: Database, wish: Pick<MigrationWish, 'keyColumns' | 'triggers'>): Sql[] {
  return [...planKeyColumns(database, wish.keyColumns), ...planTriggers(database, wish.triggers)];
}

/** Plans and runs in one transaction. */
export function runStatements(database: Database, plan: () => readonly Sql[]): void {
  database
    .transaction(() => {
      for (const sql of plan()) database.exec(sql);
    })
    .immediate();
}

/** The statements that remove our triggers and, with `purge`, our tables. */
export function planRemoval(database: Database, purge: boolean): Sql[] {
  if (!isMigrated(database)) return [];
  const drops = planTriggers(database, []);
  const unguard = planUnguarding(database);
  if (purge) return [...drops, ...unguard, statement('migrate/purge')];
  return [...drops, ...unguard, ...(isCapturing(database) ? [setCapturing(false)] : [])];
}

/** The journal mode that stood before we changed it; null where we did not. */
export function journalModeBefore(database: Database): string | null {
  if (!isMigrated(database)) return null;
  const sql = statement('migrate/journal-mode');
  return database.prepare<[], { journal_mode: string | null }>(sql).get()?.journal_mode ?? null;
}

export function hasSequenceTable(database: Database): boolean {
  return exists(database, 'migrate/has-sequence');
}

function isCapturing(database: Database): boolean {
  return database.prepare<[], { capturing: number }>(statement('migrate/capturing')).get()?.capturing === 1;
}

/** A database that was in WAL mode when it was first migrated may be switched by a later run. */
function planJournalMode(database: Database, wish: MigrationWish): Sql[] {
  if (wish.journalModeBefore === null || !isMigrated(database)) return [];
  return [template('migrate/note-journal-mode', { journalMode: literal(wish.journalModeBefore) })];
}

function planCapturing(database: Database): Sql[] {
  return isMigrated(database) && !isCapturing(database) ? [setCapturing(true)] : [];
}

function setCapturing(capturing: boolean): Sql {
  return template('migrate/set-capturing', { capturing: fragment(capturing ? '1' : '0') });
}

function planTables(database: Database, wish: MigrationWish): Sql[] {
  const fresh = !isMigrated(database);
  const applied = fresh ? [] : appliedNumbers(database);
  const pending = migrations().filter((migration) => !applied.includes(migration.number));
  if (pending.length === 0) return [];
  const noted = pending.flatMap((migration) => [
    template('migrate/note-applied', {
      number: fragment(String(migration.number)),
      name: literal(migration.name),
      appliedMs: fragment(String(wish.nowMs)),
    }),
    migration.sql,
  ]);
  if (fresh) return [statement('migrate/bookkeeping'), ...noted, ...newReplica(wish)];
  const isHashed = applied.includes(KEY_HASH_MIGRATION);
  return [statement('migrate/bookkeeping'), ...noted, ...(isHashed ? [] : planKeyHashes(database))];
}

function newReplica(wish: MigrationWish): Sql[] {
  return [
    template('migrate/create-replica', {
      node: literal(wish.node),
      epoch: literal(newEpoch()),
      journalMode: wish.journalModeBefore === null ? fragment('NULL') : literal(wish.journalModeBefore),
    }),
    template('migrate/first-mark', { mark: literal(newMark()) }),
  ];
}

/** A random id of a database instance: 16 hex digits. */
export function newEpoch(): string {
  return randomBytes(8).toString('hex');
}

/** A random value that tells one history of a log from another: 12 hex digits. */
export function newMark(): string {
  return randomBytes(6).toString('hex');
}

function planKeyColumns(database: Database, keyColumns: number): Sql[] {
  const have = countKeyColumns(database);
  const missing = recordColumns(Math.max(have, keyColumns)).slice(have);
  return missing.map((column) => template('migrate/add-record-column', { column }));
}

/** How many key columns the changelog can hold; a database without our tables gets one by the first migration. */
function countKeyColumns(database: Database): number {
  const sql = statement('migrate/record-columns');
  return Math.max(1, database.prepare<[], { columns: number }>(sql).get()?.columns ?? 1);
}

/** Hashes the keys of the versions that an older release has entered. */
function planKeyHashes(database: Database): Sql[] {
  registerKeyHash(database);
  const columns = recordColumns(countKeyColumns(database));
  return [template('migrate/hash-keys', { recordColumns: joinSql(columns, ', ') })];
}

function appliedNumbers(database: Database): number[] {
  return database
    .prepare<[], { number: number }>(statement('migrate/applied'))
    .all()
    .map((row) => row.number);
}

function exists(database: Database, name: string): boolean {
  return database.prepare<[], { found: number }>(statement(name)).get()?.found === 1;
}

function migrations(): Migration[] {
  const folder = join(packageRoot, 'migrations');
  return readdirSync(folder)
    .filter((file) => /^\d{3}-[a-z0-9-]+\.sql$/.test(file))
    .sort()
    .map((file) => ({
      number: Number(file.slice(0, 3)),
      name: file.slice(4, -4),
      sql: fragment(readFileSync(join(folder, file), 'utf8').trim()),
    }));
}
