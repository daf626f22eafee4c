import { resolve } from 'node:path';
import bytes from 'bytes';
import { makeBackup, type BackupMade } from '../backup/make-backup.js';
import type { CommandContext, CommandDefinition } from '../cli/command.js';
import { isCode, SyncError } from '../errors.js';
import { interruptible } from './interrupt.js';
import { stepsBar } from './progress.js';

interface BackupOptions {
  readonly force?: boolean;
}

export const command: CommandDefinition<BackupOptions> = {
  name: 'backup',
  summary: 'write a consistent copy of the database while everything runs, and check it',
  configure(command) {
    command
      .argument('<file>', 'the file to make')
      .option('--force', 'replace the file where it is there already');
  },
  async run(context, { force = false }, [given = '']) {
    const config = context.loadConfig();
    const file = resolve(given);
    const bar = stepsBar(context, 'backup', 'pages');
    try {
      const made = await interruptible((signal) =>
        makeBackup(config, file, {
          overwrite: force,
          signal,
          onProgress: bar.show,
        }),
      );
      bar.stop();
      report(context, made);
      return 0;
    } catch (error) {
      throw isThere(error) ? existsError(file, error) : error;
    } finally {
      bar.stop();
    }
  },
};

function report(context: CommandContext, made: BackupMade): void {
  const { file, tables, dangling, unchecked } = made;
  const rows = Object.entries(tables).map(([table, count]) => `${table} ${count}`);
  context.print(
    `Backup: ${file}, ${bytes.format(made.bytes, { unitSeparator: ' ' }) ?? made.bytes}, found sound.`,
  );
  if (rows.length > 0) context.print(`Rows: ${rows.join(', ')}`);
  if (dangling > 0) {
    context.logger.warn(
      `${dangling} rows refer to rows that are not there, in the database as in its backup`,
    );
  }
  for (const reason of unchecked) context.logger.warn(`not all of it could be checked: ${reason}`);
  context.printJson({
    file,
    bytes: made.bytes,
    tables,
    dangling_references: dangling,
    unchecked,
  });
}

function isThere(error: unknown): error is SyncError {
  return isCode(error, 'backup_exists');
}

function existsError(file: string, cause: SyncError): SyncError {
  return new SyncError(cause.code, `${file} exists already`, {
    hint: 'Replace it with --force, or name another file.',
    cause,
  });
}
