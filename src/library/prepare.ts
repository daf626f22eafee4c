import type { BackfillResult } from '../changelog/backfill.js';
import { command as backfillCommand } from '../commands/backfill.js';
import { command as migrateCommand, type MigrateReport } from '../commands/migrate.js';
import { reportOf } from './run-command.js';
import { settle, type LibraryOptions } from './settle.js';
import type { Config } from '../config/config.js';

export interface MigrateOptions extends LibraryOptions {
  /** Copy the database file beside itself first, where anything is to be changed. Default: true. */
  readonly backup?: boolean;
  /** Change nothing; the report holds the SQL. Default: false. */
  readonly dryRun?: boolean;
  /** Let triggers of the application that write to replicated tables rest while changes are applied. Default: false. */
  readonly guardTriggers?: boolean;
}

export interface BackfillOptions extends LibraryOptions {
  /** Names of configured tables; default: all. */
  readonly tables?: readonly string[];
}

/**
 * What the command `migrate` does: prepares the database, and does nothing where it is prepared. `config` is a
 * configuration, or the path of its file. Rejects with a SyncError, such as `config_invalid` or `database_busy`.
 */
export async function migrate(config: Config | string, options: MigrateOptions = {}): Promise<MigrateReport> {
  const { backup = true, dryRun = false, guardTriggers = false } = options;
  const settled = settle(config, options);
  const wish = { backup, dryRun, guardTriggers };
  return (await reportOf(migrateCommand, settled.config, settled.logger, wish)) as MigrateReport;
}

/**
 * What the command `backfill` does: enters rows that no trigger saw in the changelog, and says how many of each table.
 * An interrupted run goes on where it was. Rejects with `not_migrated` and with what else the command fails with.
 */
export async function backfill(
  config: Config | string,
  options: BackfillOptions = {},
): Promise<readonly BackfillResult[]> {
  const settled = settle(config, options);
  const wish = options.tables === undefined ? {} : { table: options.tables };
  const report = await reportOf(backfillCommand, settled.config, settled.logger, wish);
  return (report as { tables: readonly BackfillResult[] }).tables;
}
