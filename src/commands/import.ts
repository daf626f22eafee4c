import { resolve } from 'node:path';
import type { CommandContext, CommandDefinition } from '../cli/command.js';
import { withDatabase } from '../exchange/database.js';
import { importChanges, requireSuitable, type Imported } from '../exchange/import-changes.js';
import { openChangesFile, type ChangesFile } from '../exchange/read-file.js';
import type { ApplyResponse } from '../threads/calls.js';
import { interruptible } from './interrupt.js';
import { progressBar, stepsBar } from './progress.js';

export const command: CommandDefinition = {
  name: 'import',
  summary: 'apply a file that export has written on another machine',
  configure(command) {
    command.argument('<file>', 'the file');
  },
  async run(context, _options, [name = '']) {
    const config = context.loadConfig();
    const file = await openVerified(context, resolve(name));
    try {
      requireSuitable(file, config, Date.now());
      const bar = progressBar(context, 'applying', () => file.pages, 'pages');
      const options = (signal: AbortSignal) => ({
        signal,
        onPage: (page: ApplyResponse) => {
          tell(context, file, page);
        },
        onProgress: (pages: number) => {
          bar.update(pages);
        },
      });
      const imported = await interruptible((signal) =>
        withDatabase(config, context.logger, (database) => importChanges(file, database, options(signal))),
      ).finally(() => {
        bar.stop();
      });
      report(context, file, imported);
      return 0;
    } finally {
      await file.close();
    }
  },
};

/** Reads the file once before anything is applied. */
async function openVerified(context: CommandContext, path: string): Promise<ChangesFile> {
  const bar = stepsBar(context, 'verifying', 'bytes');
  try {
    return await openChangesFile(path, bar.show);
  } finally {
    bar.stop();
  }
}

function tell(context: CommandContext, file: ChangesFile, page: ApplyResponse): void {
  for (const row of page.oversized)
    context.logger.error('a row of the other replica is too large to travel', {
      node: file.header.node,
      row,
    });
  for (const { table, reason } of page.resolverFaults)
    context.logger.error('the resolver failed: conflicts of the table wait', { table, reason });
}

function report(context: CommandContext, file: ChangesFile, imported: Imported): void {
  const { nextCursor, ...counts } = imported;
  const { applied, skipped, conflicts, quarantined, pages } = counts;
  const { node, created_ms } = file.header;
  const from = `${node}, ${new Date(created_ms).toISOString()}`;
  context.print(
    pages === 0
      ? `${file.path} (${from}): everything in it was known already`
      : `${file.path} (${from}): ${applied} rows applied, ${skipped} skipped, ${conflicts} conflicts, ${quarantined} quarantined`,
  );
  context.print(`The next export of ${node} can go on with: --since ${nextCursor}`);
  const known = pages === 0;
  context.printJson({ file: file.path, node, created_ms, known, ...counts, next_cursor: nextCursor });
}
