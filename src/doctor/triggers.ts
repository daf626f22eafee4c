import { captureOf } from '../changelog/triggers.js';
import { strayTriggers, uncapturedTables } from '../database/trigger-plan.js';
import type { Check } from './check.js';
import { fault, fine, warning, type Seen } from './finding.js';
import type { OpenReplica } from './subjects.js';

const FIX =
  'A running daemon puts them back by itself; without one run sqlite-p2p-sync migrate, then backfill.';

/** Whether each replicated table has its capture triggers, and with the text that this release gives them. */
export const triggersCheck: Check<OpenReplica> = {
  name: 'triggers',
  look({ database, changelog, config }) {
    const { triggers } = captureOf(changelog.tables);
    const lacking = uncapturedTables(database, triggers);
    const { altered, unwanted } = strayTriggers(database, triggers);
    const left = unwanted.filter((table) => !config.tables.some(({ name }) => isSame(name, table)));
    const seen: Seen[] = [];
    if (lacking.length > 0) {
      seen.push(fault(`what is written to ${lacking.join(', ')} is not captured: triggers are missing`, FIX));
    }
    if (altered.length > 0) {
      seen.push(fault(`the triggers of ${altered.join(', ')} are not those of this release`, FIX));
    }
    if (left.length > 0) {
      const fix = 'Configure the table, or run sqlite-p2p-sync migrate, which removes them.';
      seen.push(warning(`${left.join(', ')} has triggers of ours, and is not configured`, fix));
    }
    return seen.length > 0 ? seen : [fine(`${triggers.length} are in place`)];
  },
};

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
