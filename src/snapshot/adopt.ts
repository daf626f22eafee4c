import { openChangelog } from '../changelog/changelog.js';
import { renew } from '../changelog/identity.js';
import { tellOwn } from '../changelog/own-member.js';
import { captureOf } from '../changelog/triggers.js';
import type { Config } from '../config/config.js';
import { checkTables } from '../database/check-tables.js';
import { planMigration, requireMigrated, runStatements } from '../database/migrate.js';
import { openFile, openForWriting, setJournalMode } from '../database/open.js';
import { syncFile } from '../database/sync-file.js';
import { SyncError } from '../errors.js';
import { statement } from '../sql/template.js';
import { parseDescription, type SnapshotDescription } from '../wire/snapshot.js';

/** Reads what a snapshot is of. Throws `snapshot_unknown` where the file is none that this release reads. */
export function readDescription(file: string): SnapshotDescription {
  const database = openFile(file, { readonly: true, busyTimeoutMs: 0 });
  try {
    const found = database.prepare<[], { found: number }>(statement('snapshot/has-description')).get()?.found;
    const text = found === 1 ? readText(database) : undefined;
    const description = text === undefined ? null : parseDescription(text);
    if (description !== null) return description;
  } finally {
    database.close();
  }
  throw new SyncError('snapshot_unknown', 'The peer sent a snapshot that this release does not read.', {
    hint: 'Install the same version of sqlite-p2p-sync on both.',
  });
}

function readText(database: ReturnType<typeof openFile>): string | undefined {
  const sql = statement('snapshot/description');
  return database.prepare<[], { description: string }>(sql).get()?.description;
}

/**
 * Makes a snapshot the database of the replica that `config` is of: an instance of its own, whose next pull from the
 * source goes on where the snapshot ends. It counts as a copy until `trust`. When this returns it is all on the disk.
 */
export function adopt(
  config: Config,
  file: string,
  { node, epoch, cursor }: SnapshotDescription,
  nowMs: number,
): void {
  const database = openFile(file, { readonly: false, busyTimeoutMs: 0 });
  try {
    database.pragma('foreign_keys = OFF');
    const tables = checkTables(config, database);
    const wish = { node: config.node.id, ...captureOf(tables), guard: [], journalModeBefore: null, nowMs };
    // Does something where the source is of an older release only.
    runStatements(database, () => planMigration(database, wish));
    requireMigrated(database);
    database.transaction(() => {
      renew(database, config.node.id);
      const changelog = openChangelog(database, tables);
      const place = { name: node, epoch, cursor, behind: null };
      const moved = { ...place, appliedMs: nowMs, fromStart: 0, hasMore: 0, imported: null };
      changelog.prepare(statement('peers/move-cursor')).run(moved);
      tellOwn(changelog, nowMs);
      database.exec(statement('snapshot/drop-description'));
    })();
    if (config.database.wal) setJournalMode(database, 'wal');
  } finally {
    database.close();
  }
  syncFile(file);
}

/**
 * From here on this replica counts as one that has pulled everything. Call once its first pull went on from the
 * snapshot's cursor: then no tombstone was pruned meanwhile that it lacks, and the source knows it.
 */
export function trust(config: Config): void {
  const database = openForWriting(config, config.database.busyTimeoutMs);
  try {
    database.prepare(statement('snapshot/trust')).run();
  } finally {
    database.close();
  }
}
