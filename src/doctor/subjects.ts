import type { Database } from 'better-sqlite3';
import type { Changelog } from '../changelog/changelog.js';
import type { StoredStatus } from '../changelog/local-status.js';
import type { Config } from '../config/config.js';
import type { InspectedTables } from '../database/check-tables.js';
import type { SyncError } from '../errors.js';
import type { PeerFinder } from '../pull/roaming.js';
import type { StatusReport } from '../replica/status.js';

/** The daemon of this configuration, as it answered. */
export interface DaemonAnswer {
  readonly running: boolean;
  /** Null where it does not run, or did not say. */
  readonly status: StatusReport | null;
  /** Why it did not answer, or refused to say. */
  readonly error: SyncError | null;
}

/** What is known before anything is opened. */
export interface Setup {
  readonly config: Config;
  readonly daemon: DaemonAnswer;
  /** The version of this program. */
  readonly version: string;
  readonly nowMs: number;
  /** Where peers without an address were found; absent or null: nobody looked. */
  readonly finder?: PeerFinder | null;
}

/** The database, open for reading. */
export interface OpenDatabase extends Setup {
  readonly database: Database;
}

/** The same, with what its schema makes of the configured tables. */
export interface OpenSchema extends OpenDatabase {
  readonly inspected: InspectedTables;
}

/** A migrated database, with those of its configured tables that can be replicated. */
export interface OpenReplica extends OpenSchema {
  readonly changelog: Changelog;
  readonly status: StoredStatus;
}
