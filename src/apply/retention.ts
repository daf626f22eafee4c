import type { Changelog } from '../changelog/changelog.js';
import { tellOwn } from '../changelog/own-member.js';
import { prune, pruneBound, type PruneBound, type Pruning } from '../changelog/prune.js';
import type { Config } from '../config/config.js';
import { expireSoftDeleted } from './expire.js';

/** How retention gets at the database. */
export interface Retaining extends Pick<Pruning, 'onProgress'> {
  /** Folds what is not folded yet, then runs the work in the same write transaction. */
  readonly inWrite: <T>(work: () => T) => Promise<T>;
  readonly changelog: () => Changelog;
  readonly config: Pick<Config, 'peers' | 'retention'>;
  readonly nowMs: number;
}

/** What retention did. */
export interface Retained {
  /** Soft-deleted rows that are deleted for good now. */
  readonly expired: number;
  /** Soft-deleted rows that the database itself refuses to delete. */
  readonly refused: number;
  /** Tombstones that are gone. */
  readonly pruned: number;
  readonly bound: PruneBound;
}

/** Deletes rows that were soft-deleted long ago, then drops the tombstones that every member has. */
export async function retain({
  inWrite,
  changelog,
  config,
  nowMs,
  onProgress,
}: Retaining): Promise<Retained> {
  const configured = config.peers.map(({ name }) => name);
  const { softDeletedMs } = config.retention;
  const expired =
    softDeletedMs === null
      ? { deleted: 0, refused: 0 }
      : await expireSoftDeleted({ inWrite, changelog }, nowMs - softDeletedMs);
  await inWrite(() => {
    tellOwn(changelog(), nowMs);
  });
  const pruned = await prune({ inWrite, changelog, configured, onProgress });
  const bound = pruneBound(changelog(), configured);
  return { expired: expired.deleted, refused: expired.refused, pruned, bound };
}
