import type { SqlValue } from './value.js';
import type { Version } from './version.js';

/** How a row stands on one replica. */
export interface RowState {
  readonly key: readonly SqlValue[];
  /** Of its content as it is now, in the columns that were asked for; null: there is no row. */
  readonly fingerprint: string | null;
  /** What the changelog has of it, a tombstone included; null: nothing. */
  readonly version: Version | null;
  /** Whether the content is what the version says. */
  readonly intact: boolean;
  /** Whether it was written since, so that it gets another version. */
  readonly unfolded: boolean;
  /** Whether a change of it is in quarantine. */
  readonly held: boolean;
  /** Whether a conflict of it is open. */
  readonly conflict: boolean;
}
