import type { Config } from '../config/config.js';
import { openReplica as openMigrated, type Replica } from '../replica/replica.js';
import { backfill, migrate } from './prepare.js';
import { settle, type LibraryOptions } from './settle.js';

export interface OpenOptions extends LibraryOptions {
  /**
   * Run `migrate` (which backs the file up where it changes it) and `backfill` first: for a program that brings its
   * database and its schema with it. Default: false, and a database that is not migrated is refused.
   */
  readonly migrate?: boolean;
}

/**
 * Opens a database as a replica of its group. `config` is a configuration, or the path of its file (relative to the
 * working directory). Nothing is served or pulled before `start` or `sync`; call `stop` at the end. Rejects with a
 * SyncError: `not_migrated`, `config_invalid`, `database_missing` and the like.
 */
export async function openReplica(config: Config | string, options: OpenOptions = {}): Promise<Replica> {
  const settled = settle(config, options);
  if (options.migrate === true) {
    await migrate(settled.config, settled);
    await backfill(settled.config, settled);
  }
  return openMigrated(settled.config, settled.logger);
}
