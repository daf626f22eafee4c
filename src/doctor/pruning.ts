import ms from 'ms';
import { pruneBound, type PruneBound } from '../changelog/prune.js';
import { statement } from '../sql/template.js';
import type { Check } from './check.js';
import { fine, warning } from './finding.js';
import type { OpenReplica } from './subjects.js';

/** A replica may be away for so long before it is named. */
const LONG_MS = 7 * 24 * 60 * 60 * 1000;

/** Whether tombstones have waited long for a replica that does not come. */
export const pruningCheck: Check<OpenReplica> = {
  name: 'pruning',
  look({ changelog, config, nowMs }) {
    const configured = config.peers.map(({ name }) => name);
    const bound = pruneBound(changelog, configured);
    const { tombstones, oldestMs } = changelog
      .prepare(statement('doctor/waiting-tombstones'))
      .get({ after: bound.upTo }) as { tombstones: number; oldestMs: number | null };
    const waiting = `${tombstones} ${tombstones === 1 ? 'tombstone waits' : 'tombstones wait'}`;
    if (oldestMs === null || nowMs - oldestMs <= LONG_MS) return [fine(`${waiting}, none for long`)];
    const names = blockersOf(bound);
    // Nobody is to blame where the fold has not come that far.
    if (names.length === 0) return [fine(`${waiting} for the next fold`)];
    return [
      warning(
        `${waiting}, the oldest for ${ms(nowMs - oldestMs)}, for ${names.join(', ')}`,
        `Let it pull, or where it is gone for good: sqlite-p2p-sync peers forget ${names[0] ?? ''}`,
      ),
    ];
  },
};

/** Those that have no more than may be pruned. */
function blockersOf({ upTo, head, standings }: PruneBound): string[] {
  return standings
    .filter(({ forgotten }) => !forgotten)
    .filter(({ blocks, claim }) => blocks !== null || (claim <= upTo && claim < head))
    .map(({ member }) => member.node);
}
