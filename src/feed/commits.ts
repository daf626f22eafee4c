/**
 * Tells when another connection has committed. `PRAGMA data_version` is the cheap way to see it; file watchers
 * miss events.
 */
export interface Commits {
  /** Grows with every commit that was seen. Read it before the database, then pass it to `after`. */
  readonly version: number;
  /** Resolves when a commit later than `version` was seen, or when the signal is aborted. */
  after(version: number, signal: AbortSignal): Promise<void>;
}
