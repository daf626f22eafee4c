import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandContext, CommandDefinition, ExitStatus } from '../cli/command.js';
import type { Config } from '../config/config.js';
import { SyncError } from '../errors.js';
import type { StatusReport } from '../replica/status.js';
import { isColoured } from './coloured.js';
import { openDaemon } from './daemon.js';
import { statusWithoutDaemon } from './status-offline.js';
import { statusText } from './status-text.js';

interface StatusOptions {
  readonly watch?: boolean;
}

export const command: CommandDefinition<StatusOptions> = {
  name: 'status',
  summary: 'show this replica and its peers; works without a daemon too',
  configure(command) {
    command.option('--watch', 'show it again and again, until Ctrl-C');
  },
  async run(context, { watch = false }) {
    const config = context.loadConfig();
    if (watch) return watchStatus(context, config);
    const report = await readStatus(context, config);
    context.print(statusText(report, isColoured(context)));
    context.printJson(report);
    return 0;
  },
};

/** Between two looks. */
const WATCH_INTERVAL_MS = 2_000;

/** On a terminal each report takes the place of the one before. */
const CLEAR = '\u001b[H\u001b[2J';

async function watchStatus(context: CommandContext, config: Config): Promise<ExitStatus> {
  if (context.json) {
    throw new SyncError('usage', '--watch has no one JSON document', {
      hint: 'Leave out --json, or ask again and again without --watch.',
      exitCode: 2,
    });
  }
  const end = new AbortController();
  const stop = () => {
    end.abort();
  };
  for (const signal of SIGNALS) process.once(signal, stop);
  while (!end.signal.aborted) {
    const text = statusText(await readStatus(context, config), isColoured(context));
    context.print(`${context.isTerminal ? CLEAR : ''}${new Date().toLocaleTimeString()}\n${text}`);
    // ends early by the signal, and then without an error
    await sleep(WATCH_INTERVAL_MS, undefined, { signal: end.signal }).catch((error: unknown) => {
      if (!end.signal.aborted) throw error;
    });
  }
  for (const signal of SIGNALS) process.off(signal, stop);
  return 0;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

async function readStatus(context: CommandContext, config: Config): Promise<StatusReport> {
  try {
    const daemon = await openDaemon(config);
    try {
      return (await daemon.ask({ method: 'GET', path: '/sync/status' })) as StatusReport;
    } finally {
      await daemon.close();
    }
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'no_daemon') throw error;
    context.logger.debug('no daemon', { error });
    return statusWithoutDaemon(config, context.logger);
  }
}
