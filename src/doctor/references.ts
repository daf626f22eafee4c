import { findDangling } from '../changelog/dangling.js';
import { danglingText } from '../changelog/dangling-text.js';
import type { Check } from './check.js';
import { fine, warning } from './finding.js';
import type { OpenReplica } from './subjects.js';

const FIX =
  'Wait, where the missing rows may still arrive; else correct these rows in your application: foreign keys are not enforced while changes are applied.';

/** Whether rows refer to rows that are not there. */
export const referencesCheck: Check<OpenReplica> = {
  name: 'references',
  look({ changelog }) {
    const { dangling, unchecked } = findDangling(changelog);
    if (dangling.length + unchecked.length === 0) return [fine('no reference dangles')];
    return [
      ...dangling.map((reference) => warning(danglingText(reference), FIX)),
      ...unchecked.map(({ table, reason }) =>
        warning(
          `the foreign keys of ${table} can't be checked: ${reason}`,
          'Correct the declaration: a parent needs a primary key or a unique index on what is referred to.',
        ),
      ),
    ];
  },
};
