import type { Command } from 'commander';
import { backfillTable, type BackfillResult } from '../changelog/backfill.js';
import { countRows } from '../changelog/evictions.js';
import { openChangelog } from '../changelog/changelog.js';
import { claimIdentity } from '../changelog/identity.js';
import { keepMark } from '../changelog/mark-file.js';
import type { CommandDefinition, ExitStatus } from '../cli/command.js';
import { checkTables } from '../database/check-tables.js';
import { requireMigrated } from '../database/migrate.js';
import { openForWriting } from '../database/open.js';
import { Transactions } from '../database/transactions.js';
import { chosenTables } from './chosen-tables.js';
import { progressBar } from './progress.js';

interface BackfillOptions {
  readonly table?: readonly string[];
}

/** Rows of one transaction at most: the longest that the application waits for the write lock, well under 100 ms. */
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
      for (const table of chosenTables(config, tables, options.table)) {
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
