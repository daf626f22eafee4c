import { describeTrigger, interferingTriggers, readAppTriggers } from '../database/app-triggers.js';
import type { Check } from './check.js';
import { fault, fine, type Seen } from './finding.js';
import type { OpenSchema } from './subjects.js';

/** Whether triggers of the application's write to replicated tables, also for every change that arrives. */
export const appTriggersCheck: Check<OpenSchema> = {
  name: 'app_triggers',
  look({ database, config }) {
    const triggers = readAppTriggers(database);
    const interfering = interferingTriggers(
      triggers,
      config.tables.map(({ name }) => name),
    );
    const guarded = triggers.filter((trigger) => trigger.guarded).map(({ name }) => name);
    const rest = guarded.length === 0 ? 'none is guarded' : `guarded: ${guarded.join(', ')}`;
    if (interfering.length === 0) return [fine(`none makes replicas differ; ${rest}`)];
    return interfering.map((trigger): Seen =>
      fault(
        `trigger ${describeTrigger(trigger)}, also for every change that arrives, so that replicas will differ`,
        'Run sqlite-p2p-sync migrate --guard-triggers: it rests while changes are applied.',
      ),
    );
  },
};
