import type { Database, Statement } from 'better-sqlite3';
import { Resolvers } from '../config/resolvers.js';
import { registerKeyHash } from '../database/key-hash.js';
import { prepared as preparedOnce } from '../database/prepared.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { statement, type Sql } from '../sql/template.js';
import type { Cursor } from '../wire/cursor.js';
import { registerFingerprint } from './fingerprint-function.js';
import { registerStamp } from './fold-stamp.js';
import type { Author } from './next-version.js';
import { Origins } from './origins.js';
import { registerWireValue } from './wire-value-function.js';
import { instanceOf, type Instance } from '../wire/instance.js';

/** One connection's view of a migrated database: who it is, what it replicates, and its prepared statements. */
export interface Changelog {
  readonly database: Database;
  readonly tables: readonly ReplicatedTable[];
  /** Names of configured tables that are missing, or don't fit now. */
  readonly unfit: readonly string[];
  readonly origins: Origins;
  /** What decides conflicts in tables with `custom`. */
  readonly resolvers: Resolvers;
  /** Rows more that have a live version, by table, since the transaction began. */
  readonly liveChanges: Map<string, number>;
  /** When each table may be counted again (see evictions.ts), by name. */
  readonly countAgainMs: Map<string, number>;
  /** The newest mark when unfolded keys were last noted (see unfolded.ts). */
  readonly unfolded: { noted: Omit<Cursor, 'epoch'> | null };
  /** When what is entered now settles conflicts, ms; null where none is open (see settle.ts). */
  readonly settling: { nowMs: number | null };
  /** Whether the file holds its text as UTF-8. */
  readonly isUtf8: boolean;
  /** Prepares once per text. */
  prepare(sql: Sql): Statement<unknown[], unknown>;
  /** Prepares once per name, so that the text is made once: for what runs row by row. */
  prepareAs(name: string, text: () => Sql): Statement<unknown[], unknown>;
}

/** Statements that are kept prepared. Which there are depends on the columns that peers send: they may not be without end. */
const STATEMENTS_KEPT = 500;
const STATEMENTS_KEPT_PER_TABLE = 50;

/**
 * Opens the changelog on a connection; registers the functions that its SQL calls. Who applies changes brings the
 * resolvers, loaded.
 */
export function openChangelog(
  database: Database,
  tables: readonly ReplicatedTable[],
  resolvers = new Resolvers(),
  unfit: readonly string[] = [],
): Changelog {
  const most = STATEMENTS_KEPT + tables.length * STATEMENTS_KEPT_PER_TABLE;
  const prepared = new Map<string, Statement<unknown[], unknown>>();
  const named = new Map<string, Statement<unknown[], unknown>>();
  for (const table of tables) registerFingerprint(database, table);
  registerStamp(database);
  registerKeyHash(database);
  registerWireValue(database);
  return {
    database,
    tables,
    unfit,
    origins: new Origins(database),
    resolvers,
    liveChanges: new Map(),
    countAgainMs: new Map(),
    settling: { nowMs: null },
    unfolded: { noted: null },
    isUtf8: database.pragma('encoding', { simple: true }) === 'UTF-8',
    prepare(sql) {
      let found = prepared.get(sql);
      if (found === undefined) {
        found = database.prepare<unknown[], unknown>(sql);
        keep(prepared, sql, found, most);
      }
      return found;
    },
    prepareAs(name, text) {
      let found = named.get(name);
      if (found === undefined) {
        found = database.prepare<unknown[], unknown>(text());
        keep(named, name, found, most);
      }
      return found;
    },
  };
}

/** The one that was kept first makes room. */
function keep<T>(kept: Map<string, T>, name: string, added: T, most: number): void {
  const [oldest] = kept.keys();
  if (kept.size >= most && oldest !== undefined) kept.delete(oldest);
  kept.set(name, added);
}

interface ReplicaRow extends Instance {
  /** Every entry up to here is folded. */
  readonly folded: number;
  /** When what it claims began, ms. */
  readonly bornMs: number;
  /** 1 where this epoch is not the first of its file. */
  readonly renewed: number;
  /** The newest log id whose tombstone was pruned. */
  readonly pruned: number;
}

export function readReplica(database: Database): ReplicaRow {
  const row = preparedOnce<[], ReplicaRow>(database, statement('changelog/replica')).get();
  if (row === undefined) throw new TypeError('Expected _sync_replica to hold one row');
  return row;
}

/** This instance as the author of versions in a table. */
export function authorOf(changelog: Changelog, { config }: ReplicatedTable): Author {
  const identity = readReplica(changelog.database);
  const preferred = config.conflictResolution === 'source_wins' && config.preferredNode === identity.node;
  return { origin: instanceOf(identity), preferred };
}

export function tableNamed(changelog: Changelog, name: string): ReplicatedTable | undefined {
  return changelog.tables.find((table) => isSameName(table.name, name));
}

/** Names of tables compare without case, as in SQLite. */
export function isSameName(a: string, b: string): boolean {
  return a === b || a.toLowerCase() === b.toLowerCase();
}
