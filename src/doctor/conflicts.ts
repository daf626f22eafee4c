import type { Check } from './check.js';
import { fine, warning } from './finding.js';
import type { OpenReplica } from './subjects.js';

/** Whether edits were overruled by others that did not know them, and nobody has looked at that. */
export const conflictsCheck: Check<OpenReplica> = {
  name: 'conflicts',
  look({ status: { conflicts } }) {
    if (conflicts === 0) return [fine('none is open')];
    const open = conflicts === 1 ? '1 conflict is' : `${conflicts} conflicts are`;
    return [warning(`${open} open here`, 'See sqlite-p2p-sync conflicts.')];
  },
};
