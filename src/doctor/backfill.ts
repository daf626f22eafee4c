import type { Check } from './check.js';
import { fine, warning } from './finding.js';
import type { OpenReplica } from './subjects.js';

/** Whether rows from before the triggers are unknown to the changelog. */
export const backfillCheck: Check<OpenReplica> = {
  name: 'backfill',
  look({ status: { backfillNeeded } }) {
    if (backfillNeeded.length === 0) return [fine('no rows from before the triggers are left')];
    const tables = backfillNeeded.join(', ');
    return [
      warning(
        `${tables}: there may be rows that no trigger has seen, which do not travel`,
        'Run sqlite-p2p-sync backfill.',
      ),
    ];
  },
};
