import { hasRows } from '../database/table.js';
import { walBytesOf } from '../database/wal.js';
import { statement } from '../sql/template.js';
import { readReplica, type Changelog } from './changelog.js';
import { headOf } from './marks.js';
import { pruneBound, type PruneBound } from './prune.js';

/** What is stored of a peer; times in ms since 1970. */
export interface StoredPeer {
  readonly name: string;
  readonly epoch: string | null;
  readonly cursor: string;
  readonly behind: number | null;
  readonly lastAppliedMs: number | null;
  readonly acknowledged: number | null;
  readonly acknowledgedMs: number | null;
}

export interface StoredStatus {
  readonly node: string;
  readonly epoch: string;
  readonly head: number;
  readonly unfolded: number;
  readonly quarantined: number;
  readonly conflicts: number;
  readonly backfillNeeded: readonly string[];
  readonly databaseBytes: number;
  readonly walBytes: number;
  readonly peers: readonly StoredPeer[];
  /** Who was heard of, and how far our log may be pruned for their sake. */
  readonly prune: PruneBound;
}

/** Reads this replica's state, `configured` being the node ids of its peers; looks at no user row but the first of each table. */
export function readStatus(changelog: Changelog, configured: readonly string[]): StoredStatus {
  const { database } = changelog;
  return database.transaction(() => {
    const { node, epoch } = readReplica(database);
    return {
      node,
      epoch,
      head: headOf(database),
      unfolded: one<{ entries: number }>(changelog, 'status/unfolded').entries,
      ...one<{ quarantined: number; conflicts: number }>(changelog, 'status/held'),
      backfillNeeded: tablesToBackfill(changelog),
      databaseBytes: one<{ bytes: number }>(changelog, 'status/pages').bytes,
      walBytes: walBytesOf(database.name),
      peers: changelog.prepare(statement('peers/all')).all() as StoredPeer[],
      prune: pruneBound(changelog, configured),
    };
  })();
}

/** Configured tables that hold rows and were not backfilled since their triggers were installed. */
export function tablesToBackfill(changelog: Changelog): string[] {
  const rows = changelog.prepare(statement('status/backfilled')).all() as { name: string }[];
  const done = new Set(rows.map((row) => row.name));
  return changelog.tables
    .filter((table) => !done.has(table.name))
    .filter((table) => hasRows(changelog.database, table.name))
    .map((table) => table.name);
}

function one<Row>(changelog: Changelog, name: string): Row {
  return changelog.prepare(statement(name)).get() as Row;
}
