import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { backfillTable, type BackfillResult } from '../changelog/backfill.js';
import { countRows } from '../changelog/evictions.js';
import { openChangelog } from '../changelog/changelog.js';
import { claimIdentity } from '../changelog/identity.js';
import { keepMark } from '../changelog/mark-file.js';
import type { CommandContext, CommandDefinition, ExitStatus } from '../cli/command.js';
import type { Config } from '../config/config.js';
import { checkTables } from '../database/check-tables.js';
import { requireMigrated } from '../database/migrate.js';
import { openForWriting } from '../database/open.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { Transactions } from '../database/transactions.js';
import { SyncError } from '../errors.js';

interface BackfillOptions {
  readonly table?: readonly string[];
}

/** Rows of one transaction: the longest that the application waits for the write lock, well under 100 ms. */
const BATCH_ROWS = 2_000;

export const command: CommandDefinition<BackfillOptions> = {
  name: 'backfill',
  summary: 'enter the rows that were there before the triggers in the changelog',
  configure(command: Command) {
    command.option('--table <name...>', 'only these tables');
  },
  async run(context, options): Promise<ExitStatus> {
    const config = context.loadConfig();
    const database = openForWriting(config);
    try {
      requireMigrated(database);
      const tables = checkTables(config, database);
      const changelog = openChangelog(database, tables);
      const transactions = new Transactions(database, config.database.busyTimeoutMs, () => {
        changelog.origins.forget();
      });
      await transactions.run(() => claimIdentity(database, config.node.id));
      const results: BackfillResult[] = [];
      for (const table of chosen(config, tables, options.table)) {
        const progress = progressBar(context, table.name, () => countRows(changelog, table));
        const result = await backfillTable(changelog, transactions, table, {
          batchRows: BATCH_ROWS,
          maxSkewMs: config.clock.maxSkewMs,
          now: () => Date.now(),
          onProgress: (_, rows) => {
            progress.update(rows);
          },
        });
        progress.stop();
        keepMark(database);
        results.push(result);
        context.print(`${table.name}: ${result.rows} rows read, ${result.versions} entered in the changelog`);
      }
      context.printJson({ tables: results });
      return 0;
    } finally {
      database.close();
    }
  },
};

function chosen(
  config: Config,
  tables: readonly ReplicatedTable[],
  names: readonly string[] | undefined,
): readonly ReplicatedTable[] {
  if (names === undefined) return tables;
  return names.map((name) => {
    const table = tables.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
    if (table !== undefined) return table;
    throw new SyncError('table_unknown', `Table "${name}" is not configured in ${config.file}.`, {
      hint: `Configured: ${tables.map((candidate) => candidate.name).join(', ')}.`,
      exitCode: 2,
    });
  });
}

interface Progress {
  update(rows: number): void;
  stop(): void;
}

/** A bar on a terminal; counting rows for it reads the table once, so it is left out elsewhere. */
function progressBar(context: CommandContext, name: string, countRows: () => number): Progress {
  if (!context.isTerminal || context.json) {
    return {
      update: () => undefined,
      stop: () => undefined,
    };
  }
  const bar = new SingleBar({
    format: `${name} {bar} {percentage}% {value}/{total} rows, {eta_formatted} left`,
  });
  bar.start(countRows(), 0);
  return bar;
}
