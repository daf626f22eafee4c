import { SyncError } from '#src/errors.js';

/** The SyncError that this throws; fails where it throws none or another. */
export function thrownBy(action: () => unknown): SyncError {
  try {
    action();
  } catch (error) {
    if (error instanceof SyncError) return error;
    throw error;
  }
  throw new Error('Expected a SyncError to be thrown');
}
