import type { SqlValue } from './value.js';
import type { Version } from './version.js';

/** A row as it is now, and the version that the changelog has of it. */
export interface FoundRow {
  readonly key: readonly SqlValue[];
  /** Of the columns that were asked for. */
  readonly fingerprint: string;
  readonly version: Version | null;
}
