import type { Check } from './check.js';
import { fine, warning } from './finding.js';
import type { OpenReplica } from './subjects.js';

/** Whether changes wait although no daemon is there to send them. */
export const unfoldedCheck: Check<OpenReplica> = {
  name: 'unfolded',
  look({ status: { unfolded }, daemon }) {
    if (unfolded === 0) return [fine('every captured change has its version')];
    const waiting = `${unfolded} ${unfolded === 1 ? 'entry waits' : 'entries wait'} to be folded`;
    if (daemon.running) return [fine(`${waiting}, by the running daemon`)];
    return [warning(`${waiting}, and no daemon runs`, 'Run sqlite-p2p-sync start.')];
  },
};
