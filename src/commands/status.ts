import type { CommandContext, CommandDefinition } from '../cli/command.js';
import type { Config } from '../config/config.js';
import { SyncError } from '../errors.js';
import type { StatusReport } from '../replica/status.js';
import { openDaemon } from './daemon.js';
import { statusWithoutDaemon } from './status-offline.js';
import { statusText } from './status-text.js';

export const command: CommandDefinition = {
  name: 'status',
  summary: 'show this replica and its peers; works without a daemon too',
  configure: () => undefined,
  async run(context) {
    const report = await readStatus(context, context.loadConfig());
    context.print(statusText(report));
    context.printJson(report);
    return 0;
  },
};

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
