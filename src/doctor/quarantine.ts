import type { Check } from './check.js';
import { fine, warning } from './finding.js';
import type { OpenReplica } from './subjects.js';

/** Whether changes could not be applied here. */
export const quarantineCheck: Check<OpenReplica> = {
  name: 'quarantine',
  look({ status: { quarantined } }) {
    if (quarantined === 0) return [fine('empty')];
    const changes = quarantined === 1 ? '1 change' : `${quarantined} changes`;
    return [warning(`${changes} could not be applied here`, 'See sqlite-p2p-sync quarantine.')];
  },
};
