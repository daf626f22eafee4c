import type { Database } from 'better-sqlite3';
import { SyncError } from '../errors.js';
import { statement } from '../sql/template.js';
import type { WireValue } from '../wire/value.js';
import type { Version } from '../wire/version.js';
import type { DecidedBy } from './strategy.js';
import { withinBytes } from './within-bytes.js';

/** One side of a conflict as the ledger keeps it. */
export interface ConflictSide {
  /** True where the order of versions chose this side. */
  readonly won: boolean;
  readonly key: readonly WireValue[];
  readonly rank: number;
  /** ms since 1970. */
  readonly stamp: number;
  readonly origin: string;
  readonly fingerprint: string;
  readonly seen: Readonly<Record<string, number>> | null;
  /** Null: the row was deleted. */
  readonly record: Readonly<Record<string, WireValue>> | null;
}

/** A conflict as `conflicts --json` and `GET /sync/conflicts` show it; times in ms since 1970. */
export interface Conflict {
  readonly id: number;
  readonly table: string;
  readonly key: readonly WireValue[];
  /** `row`: two versions of one row met. `unique`: two rows claimed one unique value, and the loser's was deleted. */
  readonly kind: 'row' | 'unique';
  /**
   * `version`: the greater one won. `nobody` (`manual`, or a resolver that failed): each stays where it is until it is
   * resolved. `resolver`: both went into a merge.
   */
  readonly decided_by: DecidedBy;
  readonly found_ms: number;
  /** Null while it is open. */
  readonly settled_ms: number | null;
  /** The entry that stands for this one, whose loser has the same content; null where it stands for itself. */
  readonly copy_of: number | null;
  /** What this replica had when the two met. */
  readonly local: ConflictSide;
  /** What arrived. */
  readonly remote: ConflictSide;
}

export interface ConflictList {
  /** Newest first, `MAX_LISTED` at most. */
  readonly conflicts: readonly Conflict[];
  /** How many there are, listed or not. */
  readonly total: number;
}

/** Conflicts that one list names. */
export const MAX_LISTED = 1_000;

/** Both rows of each stand in a list in full: it is made in memory. */
const MAX_LISTED_BYTES = 64 * 1024 * 1024;

interface LedgerRow {
  id: number;
  table_name: string;
  record_key: string;
  winner_key: string | null;
  local_side: 'winner' | 'loser';
  decided_by: DecidedBy;
  found_ms: number;
  settled_ms: number | null;
  copy_of: number | null;
  loser: string;
  winner: string;
}

export interface ListOptions {
  /** The settled ones too. */
  readonly all: boolean;
  readonly limit?: number | undefined;
  /** A list ends before it holds more, but has one at least. */
  readonly maxBytes?: number;
}

/** The open conflicts, the newest first. */
export function listConflicts(
  database: Database,
  { all, limit = MAX_LISTED, maxBytes = MAX_LISTED_BYTES }: ListOptions,
): ConflictList {
  const bound = { all: all ? 1 : 0 };
  const newest = database.prepare<unknown[], LedgerRow>(statement('conflicts/newest'));
  const texts = ({ loser, winner }: LedgerRow): string[] => [loser, winner];
  const rows = withinBytes(newest.iterate({ ...bound, limit }), texts, maxBytes);
  const counted = database.prepare<unknown[], { conflicts: number }>(statement('conflicts/count')).get(bound);
  return { conflicts: rows.map(toConflict), total: counted?.conflicts ?? 0 };
}

/** Throws `conflict_unknown`. */
export function readConflict(database: Database, id: number): Conflict {
  const row = database.prepare<unknown[], LedgerRow>(statement('conflicts/by-id')).get({ id });
  if (row !== undefined) return toConflict(row);
  throw new SyncError('conflict_unknown', `There is no conflict ${id} in the ledger of this replica.`, {
    hint: 'sqlite-p2p-sync conflicts list --all shows those that there are.',
  });
}

/** The versions for which an entry stands, besides its own. */
export function copiesOf(database: Database, id: number): Version[] {
  const copies = database.prepare<unknown[], { loser: string }>(statement('conflicts/copies')).all({ id });
  return copies.map(({ loser }) => sideOf(loser));
}

function toConflict(row: LedgerRow): Conflict {
  const key = JSON.parse(row.record_key) as WireValue[];
  const winnerKey = row.winner_key === null ? key : (JSON.parse(row.winner_key) as WireValue[]);
  const winner = { won: row.decided_by === 'version', key: winnerKey, ...sideOf(row.winner) };
  const loser = { won: false, key, ...sideOf(row.loser) };
  return {
    id: row.id,
    table: row.table_name,
    key,
    kind: row.winner_key === null ? 'row' : 'unique',
    decided_by: row.decided_by,
    found_ms: row.found_ms,
    settled_ms: row.settled_ms,
    copy_of: row.copy_of,
    ...(row.local_side === 'winner' ? { local: winner, remote: loser } : { local: loser, remote: winner }),
  };
}

function sideOf(text: string): Omit<ConflictSide, 'won' | 'key'> {
  return JSON.parse(text) as Omit<ConflictSide, 'won' | 'key'>;
}
