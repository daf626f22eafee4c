import type { PruneBound } from '../changelog/prune.js';

/** One replica of the group in `peers list`, `prune` and `GET /sync/status`. Times are ms since 1970 by its clock. */
export interface MemberReport {
  readonly node: string;
  /** Empty: it is configured, and was never heard of. */
  readonly epoch: string;
  /** `direct`: it has asked us, or we ask it; `others`: it is known only through others. */
  readonly via: 'direct' | 'others';
  /** It has our log up to this log id. */
  readonly has: number;
  /** Changes that it holds in quarantine. */
  readonly held: number;
  /** When it last said something new of itself; null where it never did. */
  readonly told_ms: number | null;
  readonly forgotten: boolean;
  /** Why nothing can be pruned for its sake. */
  readonly blocks: string | null;
}

/** `direct` names those that have asked us, or that we ask. */
export function memberReports(
  { standings }: Pick<PruneBound, 'standings'>,
  direct: readonly string[],
): MemberReport[] {
  return standings.map(({ member, claim, forgotten, blocks }) => ({
    node: member.node,
    epoch: member.epoch,
    via: direct.includes(member.node) ? 'direct' : 'others',
    has: claim,
    held: member.held,
    told_ms: member.told_ms === 0 ? null : member.told_ms,
    forgotten,
    blocks,
  }));
}
