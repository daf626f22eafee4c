import { resolve } from 'node:path';
import type { CommandDefinition } from '../cli/command.js';
import { SyncError } from '../errors.js';
import { withDatabase } from '../exchange/database.js';
import { exportChanges } from '../exchange/export-changes.js';
import { parseCursor } from '../wire/cursor.js';
import { interruptible } from './interrupt.js';
import { countingLine } from './progress.js';

interface Options {
  readonly out: string;
  readonly since?: string;
  readonly force?: boolean;
}

export const command: CommandDefinition<Options> = {
  name: 'export',
  summary: 'write changes into a file, for a machine that no network joins',
  configure(command) {
    command
      .requiredOption('--out <file>', 'the file to write')
      .option('--since <cursor>', 'only what came after this cursor; default: everything')
      .option('--force', 'overwrite the file');
  },
  async run(context, { out, since = '', force = false }) {
    const config = context.loadConfig();
    if (since !== '' && parseCursor(since) === null) {
      const hint = 'Take it from what the export before, or an import, has printed.';
      throw new SyncError('bad_cursor', `--since ${since} is no cursor`, { hint, exitCode: 2 });
    }
    const path = resolve(out);
    const progress = countingLine(context, 'changes written');
    const written = await interruptible((signal) =>
      withDatabase(config, context.logger, (database) =>
        exportChanges(config, database, {
          ...{ out: path, since, force, signal },
          onProgress: (changes) => {
            progress.update(changes);
          },
        }),
      ),
    ).finally(() => {
      progress.stop();
    });
    const { changes, pages, bytes, sha256, nextCursor, complete } = written;
    context.print(`${path}: ${changes} changes in ${pages} pages, ${bytes} bytes`);
    context.print(`Import it there with: sqlite-p2p-sync import FILE`);
    context.print(`The next export goes on with: --since ${nextCursor}`);
    if (!complete)
      context.logger.warn('some rows were written all the while: they come with the next export');
    const cursors = { since, next_cursor: nextCursor };
    context.printJson({ file: path, changes, pages, bytes, sha256, ...cursors, complete });
    return 0;
  },
};
