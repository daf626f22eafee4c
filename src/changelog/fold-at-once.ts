import type { ReplicatedTable } from '../database/replicable.js';
import { MAX_RANK } from '../wire/version.js';
import { template } from '../sql/template.js';
import type { Changelog } from './changelog.js';
import { noteLive } from './evictions.js';
import { foldHoles } from './fold-holes.js';
import { BACKFILLED } from './fold-stamp.js';
import type { Horizon } from './horizon.js';
import { headOf } from './marks.js';
import { rankAfter, type Author, type FoldClock } from './next-version.js';

/** A batch of raw entries of one table, and who makes versions of them. */
export interface FoldedTable {
  /** Raw entries after this log id, up to and with `last`: so many. */
  readonly folded: number;
  readonly last: number;
  readonly entries: number;
  /** The newest log id before any version was made of them. */
  readonly newest: number;
  readonly author: Author;
  /** The author's number. */
  readonly originId: number;
  readonly horizon: Horizon | null;
}

/** Makes versions of new and of changed rows, each in one statement. Returns how many; the others are left. */
export function foldAtOnce(
  changelog: Changelog,
  table: ReplicatedTable,
  batch: FoldedTable,
  clock: FoldClock,
): number {
  const versions = foldNewRows(changelog, table, batch, clock);
  return versions === batch.entries ? versions : versions + foldChangedRows(changelog, table, batch, clock);
}

/**
 * Enters the versions of rows that have none yet in one statement, sorted by key: a first fold is mostly that. Returns
 * how many. Rows that have gone, and those whose text has to be read byte for byte, are left.
 */
function foldNewRows(
  changelog: Changelog,
  table: ReplicatedTable,
  { folded, last, author, originId, horizon }: FoldedTable,
  { nowMs, maxSkewMs }: FoldClock,
): number {
  const insert = changelog.prepareAs(`fold new ${table.name}`, () =>
    template('fold/insert-new', foldHoles(table)),
  );
  const { changes } = insert.run({
    folded,
    last,
    format: table.config.timestampFormat,
    backfilled: BACKFILLED,
    rank: rankAfter(horizon?.rank ?? 0, author),
    backfilledRank: rankAfter(0, author),
    horizonMs: horizon?.stamp ?? null,
    origin: originId,
    nowMs,
    maxSkewMs,
  });
  noteLive(changelog, table, changes);
  return changes;
}

/**
 * Replaces the versions of rows that were changed, in one statement, sorted by key. Returns how many. Left are rows whose
 * version has seen others, or is a tombstone, rows that have gone, and text that has to be read byte for byte.
 */
function foldChangedRows(
  changelog: Changelog,
  table: ReplicatedTable,
  { folded, last, author, originId, newest }: FoldedTable,
  { nowMs, maxSkewMs }: FoldClock,
): number {
  const entered = headOf(changelog.database);
  const insert = changelog.prepareAs(`fold changed ${table.name}`, () =>
    template('fold/insert-changed', foldHoles(table)),
  );
  const { changes } = insert.run({
    folded,
    last,
    newest,
    format: table.config.timestampFormat,
    rankStep: rankAfter(0, author),
    maxRank: MAX_RANK,
    origin: originId,
    nowMs,
    maxSkewMs,
  });
  if (changes === 0) return 0;
  const drop = changelog.prepareAs(`fold replaced ${table.name}`, () =>
    template('fold/drop-replaced', foldHoles(table)),
  );
  drop.run({ entered, newest });
  return changes;
}
