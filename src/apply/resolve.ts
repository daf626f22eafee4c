import { compareVersions, hasSeen, sameContent, type Version } from '../wire/version.js';

/** What becomes of an incoming change. */
export interface Resolution {
  /**
   * `same`: this replica has this very version. `adopt`: equal content, the incoming version takes over without a
   * write to the row. `write`: the incoming row wins. `keep`: the local row wins.
   */
  readonly outcome: 'same' | 'adopt' | 'write' | 'keep';
  /** True where the winner's author did not know the loser, and their content differs. */
  readonly conflict: boolean;
}

/** Last write wins, by version: every replica decides alike, in whatever order versions meet. */
export function resolve(local: Version | null, incoming: Version): Resolution {
  if (local === null) return { outcome: 'write', conflict: false };
  const order = compareVersions(incoming, local);
  if (order === 0) return { outcome: 'same', conflict: false };
  const equal = sameContent(incoming, local);
  const [winner, loser] = order > 0 ? [incoming, local] : [local, incoming];
  return {
    outcome: order < 0 ? 'keep' : equal ? 'adopt' : 'write',
    conflict: !equal && !hasSeen(winner, loser),
  };
}
