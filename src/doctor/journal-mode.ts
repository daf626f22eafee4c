import type { Check } from './check.js';
import { fine, warning } from './finding.js';
import type { OpenDatabase } from './subjects.js';

/** Whether the file is in WAL mode, where it is configured so. */
export const journalModeCheck: Check<OpenDatabase> = {
  name: 'journal_mode',
  look({ config, database }) {
    const mode = database.pragma('journal_mode', { simple: true }) as string;
    if (mode === 'wal') return [fine('wal')];
    if (!config.database.wal) return [fine(`${mode}, which database.wal: false leaves as it is`)];
    return [
      warning(
        `${mode} instead of wal: your application and the daemon block each other`,
        'Close your application and run sqlite-p2p-sync migrate, which sets it, as start does.',
      ),
    ];
  },
};
