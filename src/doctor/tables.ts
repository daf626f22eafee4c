import { pathText } from '../config/faults.js';
import type { Check } from './check.js';
import { fault, fine } from './finding.js';
import type { OpenSchema } from './subjects.js';

/** Whether every configured table can be replicated, as the schema is now. */
export const tablesCheck: Check<OpenSchema> = {
  name: 'tables',
  look({ inspected: { tables, faults } }) {
    if (faults.length === 0) return [fine(`${tables.map(({ name }) => name).join(', ')} can be replicated`)];
    return faults.map(({ path, message, hint }) =>
      fault(`${pathText(path)}: ${message}`, hint ?? 'Correct the configuration, or the schema.'),
    );
  },
};
