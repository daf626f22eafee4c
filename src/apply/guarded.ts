import type { Changelog } from '../changelog/changelog.js';
import { enterLiveChanges } from '../changelog/evictions.js';
import { lookForOpenConflicts } from '../changelog/settle.js';
import { statement } from '../sql/template.js';

/**
 * Runs work that writes users' rows and enters their versions itself: our triggers rest meanwhile. Call inside a write
 * transaction that is rolled back when this throws.
 */
export function guarded<T>(changelog: Changelog, nowMs: number, work: () => T): T {
  changelog.liveChanges.clear();
  lookForOpenConflicts(changelog, nowMs);
  setGuard(changelog, true);
  const result = work();
  enterLiveChanges(changelog);
  setGuard(changelog, false);
  return result;
}

function setGuard(changelog: Changelog, applying: boolean): void {
  changelog.prepare(statement('apply/guard')).run({ applying: applying ? 1 : 0 });
}
