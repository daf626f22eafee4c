import type { CommandContext, CommandDefinition } from '../cli/command.js';
import type { Config } from '../config/config.js';
import type { Logger } from '../log/logger.js';

/** Runs a command as the command line does, and returns what its `--json` prints. Rejects with the command's SyncError. */
export async function reportOf<Options extends object>(
  command: CommandDefinition<Options>,
  config: Config,
  logger: Logger,
  options: Options,
): Promise<unknown> {
  let report: unknown;
  const context: CommandContext = {
    configFile: config.file,
    json: true,
    logLevel: null,
    isTerminal: false,
    logger,
    loadConfig: () => config,
    openLog: () => logger,
    print: () => undefined,
    printJson: (value) => {
      report = value;
    },
  };
  await command.run(context, options, []);
  return report;
}
