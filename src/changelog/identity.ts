import type { Database } from 'better-sqlite3';
import { newEpoch } from '../database/migrate.js';
import { fileIdOf } from '../database/file-id.js';
import { statement } from '../sql/template.js';
import { parseCursor } from '../wire/cursor.js';
import { readReplica } from './changelog.js';
import { keepClaims } from './had-once.js';
import { readMarkFile, type LastMark } from './mark-file.js';
import { drawMark, isRewoundFrom, markedHeadOf } from './marks.js';
import type { Heard } from '../wire/members.js';
import { instanceOf } from '../wire/instance.js';

/**
 * Why a database became a new instance. `other_node`: it was another replica's (a copy). `other_file`: it is not the
 * file that this replica left here (moved, replaced, or without the mark file). `rewound`: the same file with an older
 * content (a backup was restored).
 */
export type Renewal = 'other_node' | 'other_file' | 'rewound';

/**
 * Makes sure that this file is what the configured node left: a copy, a restored backup or a file from elsewhere becomes
 * a new instance before it folds or serves anything. Call in a write transaction; once it is committed, `keepMark`.
 */
export function claimIdentity(database: Database, node: string): Renewal | null {
  const reason = reasonToRenew(database, node, readMarkFile(database.name));
  if (reason !== null) renew(database, node);
  return reason;
}

/** Why the next start would make this database a new instance; null where it would not. Not within a transaction. */
export function renewalAhead(database: Database, node: string): Renewal | null {
  // Read before the database is: a daemon that commits in between must not look like a newer file.
  return reasonToRenew(database, node, readMarkFile(database.name));
}

/**
 * Whether this database, which a process has open that last left it so, is one that no process of this replica left:
 * its log lacks what it had, or it is of an instance that was before, or of another replica.
 */
export function isReplaced(database: Database, last: LastMark): boolean {
  // Another process of this replica may have made it a new instance meanwhile, and wrote that down.
  const left = readReplica(database).epoch === last.epoch ? last : readMarkFile(database.name);
  return left === null || isRewound(database, left);
}

/** Renews an instance whose log was rewound while nobody looked. Call in a write transaction. */
export function renew(database: Database, node: string): void {
  keepClaims(database, markedHeadOf(database));
  becomeAnother(database, node);
}

function becomeAnother(database: Database, node: string): void {
  database.prepare(statement('changelog/renew-epoch')).run({ node, epoch: newEpoch() });
  database.prepare(statement('changelog/forget-peers')).run();
  database.prepare(statement('changelog/forget-marks')).run();
  drawMark(database);
}

/**
 * Renews this instance where a peer has what its log never had, or has heard of an instance that came after it: it was
 * rewound, and that went unnoticed. The new instance begins to claim after that other one did (`laterThanMs`). Versions that
 * it has authored since, as far as no peer has acknowledged them, pass to the new instance, so that nobody takes them
 * for what was written before. Call in a write transaction.
 */
export function renewRewound(database: Database, laterThanMs = 0): void {
  const before = readReplica(database);
  database.prepare(statement('members/set-born')).run({ bornMs: Math.max(before.bornMs, laterThanMs) });
  const acknowledged = newestAcknowledged(database);
  // Its log has grown again since: nobody knows up to where what it had is here.
  keepClaims(database, 0);
  becomeAnother(database, before.node);
  const origins = { before: instanceOf(before), after: instanceOf(readReplica(database)) };
  database.prepare(statement('changelog/know-origin')).run({ name: origins.after });
  database.prepare(statement('changelog/pass-on')).run({ ...origins, acknowledged });
}

/** Whether a peer's cursor is of this instance, and of a log that it has no more. */
export function looksRewound(database: Database, cursorText: string): boolean {
  const cursor = parseCursor(cursorText);
  return cursor?.epoch === readReplica(database).epoch && isRewoundFrom(database, cursor);
}

/** Whether a peer has heard of an instance of this node that came after this one: this is from before its renewal. */
export function isOutdated(database: Database, heard: Heard | null): boolean {
  const { epoch, bornMs } = readReplica(database);
  return heard !== null && heard.epoch !== epoch && heard.born_ms >= bornMs;
}

function reasonToRenew(database: Database, node: string, last: LastMark | null): Renewal | null {
  const replica = readReplica(database);
  if (replica.node !== node) return 'other_node';
  if (last?.epoch !== replica.epoch || last.file !== fileIdOf(database.name)) return 'other_file';
  return isRewound(database, last) ? 'rewound' : null;
}

/** Whether this is not the instance that was remembered, or its log lacks what it had then. */
function isRewound(database: Database, last: LastMark): boolean {
  const { epoch } = readReplica(database);
  return epoch !== last.epoch || isRewoundFrom(database, { logId: last.log_id, mark: last.mark });
}

function newestAcknowledged(database: Database): number {
  const sql = statement('peers/newest-acknowledged');
  return database.prepare<[], { acknowledged: number }>(sql).get()?.acknowledged ?? 0;
}
