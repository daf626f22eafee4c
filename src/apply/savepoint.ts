import type { Changelog } from '../changelog/changelog.js';

/** Runs work inside the open transaction so that, where it throws, it leaves no trace: not in the database, nor here. */
export function inSavepoint<T>(changelog: Changelog, work: () => T): T {
  const live = new Map(changelog.liveChanges);
  try {
    // Within a transaction this is a savepoint.
    return changelog.database.transaction(work)();
  } catch (error) {
    changelog.liveChanges.clear();
    for (const [table, change] of live) changelog.liveChanges.set(table, change);
    changelog.origins.forget();
    throw error;
  }
}
