import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import type { CommandContext, CommandDefinition } from '../cli/command.js';
import { convertIds, type Converted } from '../convert/convert-ids.js';
import type { IdKind } from '../convert/uuid.js';
import { usage } from './actions.js';
import { stepsBar } from './progress.js';

interface ConvertIdsOptions {
  readonly table?: readonly string[];
  readonly reference?: readonly string[];
  readonly ids: IdKind;
  readonly addColumns?: boolean;
  readonly dryRun?: boolean;
  readonly db?: string;
  readonly out: string;
}

/** How long the write lock is waited for. */
const BUSY_TIMEOUT_MS = 5_000;

export const command: CommandDefinition<ConvertIdsOptions> = {
  name: 'convert-ids',
  summary: 'turn integer keys into UUIDs, in every table that refers to them',
  configure(command) {
    command
      .option('--table <name...>', 'the tables whose keys are converted')
      .option(
        '--reference <table.column...>',
        'columns that hold these keys without a foreign key; TABLE.COLUMN=PARENT where several tables are converted',
      )
      .addOption(
        new Option('--ids <kind>', 'shared: the same old key gives the same UUID in every copy; own: random')
          .choices(['shared', 'own'])
          .default('own'),
      )
      .option('--add-columns', 'add created_at, updated_at and deleted_at, with indexes')
      .option('--dry-run', 'try it on a copy, print the SQL and change nothing')
      .option('--db <file>', 'the database (default: that of the configuration)')
      .option('--out <folder>', 'where the SQL of both directions is written', './migrations-out');
  },
  async run(context, options) {
    if (options.table === undefined) {
      throw usage(
        'convert-ids: no table is named',
        'Name those whose keys are to be converted with --table NAME',
      );
    }
    const dryRun = options.dryRun === true;
    const newBar = () => stepsBar(context, 'convert-ids', 'steps');
    let bar = newBar();
    const converted = await convertIds({
      database: databaseOf(context, options),
      tables: options.table,
      references: options.reference ?? [],
      ids: options.ids,
      addColumns: options.addColumns === true,
      nowMs: Date.now(),
      out: resolve(options.out),
      dryRun,
      busyTimeoutMs: BUSY_TIMEOUT_MS,
      onStep: (what) => {
        bar.stop();
        context.logger.info(what);
        bar = newBar();
      },
      onProgress: (done, total) => {
        bar.show(done, total);
      },
    }).finally(() => {
      bar.stop();
    });
    report(context, converted, dryRun);
    return 0;
  },
};

/** A database that is still to be converted often has no configuration yet. */
function databaseOf(context: CommandContext, { db }: ConvertIdsOptions): string {
  if (db !== undefined) return resolve(db);
  if (existsSync(context.configFile)) return context.loadConfig().database.path;
  throw usage('convert-ids: which database?', `Name it with --db FILE; there is no ${context.configFile}`);
}

function report(context: CommandContext, { tables, sql, backup, scripts }: Converted, dryRun: boolean): void {
  context.printJson({
    dry_run: dryRun,
    tables,
    backup,
    sql: dryRun ? sql : null,
    forward: scripts?.forward ?? null,
    backward: scripts?.backward ?? null,
  });
  if (dryRun) context.print(sql);
  if (backup === null || scripts === null) return;
  for (const { name, columns, rows } of tables) context.print(`${name}: ${rows} rows, ${columns.join(', ')}`);
  context.print(`Backup: ${backup}`);
  context.print(`What was done: ${scripts.forward}`);
  context.print(`The way back: ${scripts.backward}`);
  context.print('Next: make your application insert UUIDs, then sqlite-p2p-sync init');
}
