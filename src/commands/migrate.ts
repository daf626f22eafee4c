import type { Command } from 'commander';
import type { Database } from 'better-sqlite3';
import { dropMarkFile, keepMark } from '../changelog/mark-file.js';
import { captureOf } from '../changelog/triggers.js';
import type { CommandContext, CommandDefinition, ExitStatus } from '../cli/command.js';
import type { Config } from '../config/config.js';
import {
  describeTrigger,
  interferingTriggers,
  readAppTriggers,
  type AppTrigger,
} from '../database/app-triggers.js';
import { backUp, backupFileFor } from '../database/backup.js';
import { checkTables } from '../database/check-tables.js';
import {
  hasSequenceTable,
  isMigrated,
  journalModeBefore,
  planMigration,
  planRemoval,
  runStatements,
} from '../database/migrate.js';
import { isBusy, openForWriting, setJournalMode } from '../database/open.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { requireWholeKeys } from '../database/whole-keys.js';
import { SyncError } from '../errors.js';
import type { Sql } from '../sql/template.js';
import { stepsBar } from './progress.js';

interface MigrateOptions {
  readonly dryRun?: boolean;
  readonly backup: boolean;
  readonly down?: boolean;
  readonly purge?: boolean;
  readonly guardTriggers?: boolean;
}

/** What a run did, for `--json`. */
export interface MigrateReport {
  readonly changed: boolean;
  /** True where there was no changelog before. */
  readonly fresh: boolean;
  readonly backup: string | null;
  readonly statements: readonly string[];
}

export const command: CommandDefinition<MigrateOptions> = {
  name: 'migrate',
  summary: 'prepare the database: back it up, create the _sync_* tables, install the triggers',
  configure(command: Command) {
    command
      .option('--dry-run', 'print the SQL and change nothing')
      .option('--no-backup', 'do not copy the database file first')
      .option(
        '--guard-triggers',
        'make your own triggers that write to replicated tables rest while changes are applied',
      )
      .option('--down', 'remove the triggers and put the journal mode back')
      .option('--purge', 'with --down: also remove every _sync_* table');
  },
  async run(context, options): Promise<ExitStatus> {
    if (options.purge === true && options.down !== true) {
      throw new SyncError('usage', '--purge goes with --down.', {
        hint: 'Run: sqlite-p2p-sync migrate --down --purge',
        exitCode: 2,
      });
    }
    const config = context.loadConfig();
    const database = openForWriting(config, config.database.busyTimeoutMs);
    try {
      await (options.down === true ? migrateDown : migrateUp)(context, config, database, options);
    } catch (error) {
      throw isBusy(error) ? lockedError(config, error, options.down === true) : error;
    } finally {
      database.close();
    }
    return 0;
  },
};

async function migrateUp(
  context: CommandContext,
  config: Config,
  database: Database,
  options: MigrateOptions,
): Promise<void> {
  const tables = checkTables(config, database);
  requireWholeKeys(config, database, tables);
  const guard = triggersToGuard(database, tables, options);
  const mode = database.pragma('journal_mode', { simple: true }) as string;
  const toWal = config.database.wal && mode !== 'wal';
  const wish = {
    node: config.node.id,
    ...captureOf(tables),
    guard,
    journalModeBefore: toWal ? mode : null,
    nowMs: Date.now(),
  };
  const plan = { statements: () => planMigration(database, wish), journalMode: toWal ? 'wal' : null };
  const report = await carryOut(context, config, database, plan, options);
  // A database that others have migrated is claimed by its first start, not by us.
  if (options.dryRun !== true && report.fresh) keepMark(database);
  sayUp(context, config, tables, report, options);
}

/** The app's triggers that would write replicated tables while changes are applied; refused unless they may be guarded. */
function triggersToGuard(
  database: Database,
  tables: readonly ReplicatedTable[],
  options: MigrateOptions,
): readonly AppTrigger[] {
  const names = tables.map((table) => table.name);
  const found = interferingTriggers(readAppTriggers(database), names);
  if (found.length === 0 || options.guardTriggers === true) return found;
  const list = found.map(describeTrigger);
  throw new SyncError(
    'app_triggers',
    `Triggers of your application write to replicated tables, and would do so again for every change that arrives: ${list.join('; ')}.`,
    {
      hint: 'Run migrate --guard-triggers to let them rest while changes are applied; migrate --down restores their text.',
    },
  );
}

async function migrateDown(
  context: CommandContext,
  config: Config,
  database: Database,
  options: MigrateOptions,
): Promise<void> {
  const journalMode = journalModeBefore(database);
  const statements = () => planRemoval(database, options.purge === true);
  // First, since it fails while others have the file open, and purging forgets what it was.
  if (journalMode !== null && options.dryRun !== true) setJournalMode(database, journalMode);
  const report = await carryOut(context, config, database, { statements, journalMode }, options);
  if (options.dryRun === true) return;
  if (options.purge === true) dropMarkFile(config.database.path);
  context.print(report.changed ? 'The triggers are removed.' : 'There were no triggers of ours.');
  if (options.purge === true && hasSequenceTable(database)) {
    context.print(
      'SQLite keeps its own table sqlite_sequence; where no other table uses it, VACUUM removes it.',
    );
  }
}

interface Plan {
  /** What is to be run, as the database is at this moment. */
  readonly statements: () => readonly Sql[];
  /** The journal mode to set afterwards; null: as it is. */
  readonly journalMode: string | null;
}

async function carryOut(
  context: CommandContext,
  config: Config,
  database: Database,
  plan: Plan,
  options: MigrateOptions,
): Promise<MigrateReport> {
  const journal = plan.journalMode === null ? [] : [`PRAGMA journal_mode = ${plan.journalMode}`];
  const fresh = !isMigrated(database);
  const planned = plan.statements();
  const changed = planned.length > 0;
  const report = { changed, fresh, backup: null, statements: [...planned, ...journal] };
  if (options.dryRun === true) {
    for (const sql of report.statements) context.print(`${sql};\n`);
    context.printJson({ dryRun: true, ...report });
    return report;
  }
  const backup = changed && options.backup ? backupFileFor(config.database.path, Date.now()) : null;
  if (backup !== null) await backUpFirst(context, database, backup);
  // Planned anew under the write lock: the application may have written during the backup.
  runStatements(database, plan.statements);
  if (plan.journalMode !== null) setJournalMode(database, plan.journalMode);
  context.printJson({ dryRun: false, ...report, backup });
  return { ...report, backup };
}

async function backUpFirst(context: CommandContext, database: Database, file: string): Promise<void> {
  const bar = stepsBar(context, 'backup', 'pages');
  try {
    await backUp(database, file, { onProgress: bar.show });
  } finally {
    bar.stop();
  }
}

function sayUp(
  context: CommandContext,
  config: Config,
  tables: readonly ReplicatedTable[],
  report: MigrateReport,
  options: MigrateOptions,
): void {
  if (options.dryRun === true) return;
  const names = tables.map((table) => table.name).join(', ');
  if (report.backup !== null) context.print(`Backup: ${report.backup}`);
  context.print(
    report.changed
      ? `${config.database.path} is ready; captured: ${names}.`
      : `${config.database.path} is up to date; captured: ${names}.`,
  );
  if (report.changed) context.print('Next: sqlite-p2p-sync backfill, then sqlite-p2p-sync start');
}

function lockedError(config: Config, cause: unknown, down: boolean): SyncError {
  const left = down ? 'the triggers are as they were' : 'nothing was changed';
  return new SyncError('database_busy', `Another program holds the write lock of ${config.database.path}.`, {
    hint: `Close your application for a moment and run migrate again; ${left}.`,
    cause,
  });
}
