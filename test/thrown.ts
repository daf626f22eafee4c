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

/** The SyncError that this rejects with; fails where it resolves, or rejects with another. */
export async function rejectionOf(work: Promise<unknown>): Promise<SyncError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SyncError) return error;
    throw error;
  }
  throw new Error('Expected a SyncError as the rejection');
}
