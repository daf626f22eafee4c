import { resolve } from 'node:path';
import type { LogLevel } from '../config/config.js';
import { loadConfig } from '../config/load.js';
import { createLogger, type Logger } from '../log/logger.js';
import type { CommandContext } from './command.js';
import type { Streams } from './streams.js';

export const DEFAULT_CONFIG_FILE = './sync-config.yaml';

/** The options that every command takes; absent where they were not given. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly logLevel?: LogLevel;
}

/** A context that also knows whether its one JSON document was printed. */
export interface RunContext extends CommandContext {
  readonly jsonPrinted: boolean;
}

export function createContext(options: GlobalOptions, streams: Streams): RunContext {
  const json = options.json ?? false;
  const logLevel = options.logLevel ?? null;
  const configFile = resolve(options.config ?? DEFAULT_CONFIG_FILE);
  let jsonPrinted = false;
  let logger: Logger | undefined;
  return {
    configFile,
    json,
    logLevel,
    isTerminal: streams.stdout.isTTY === true && !json,
    get jsonPrinted() {
      return jsonPrinted;
    },
    get logger() {
      logger ??= createLogger({ level: logLevel ?? 'info', format: 'text', file: null }, streams.stderr);
      return logger;
    },
    loadConfig: () => loadConfig(configFile),
    openLog: (config) =>
      createLogger(
        { ...config.log, level: logLevel ?? config.log.level },
        json ? streams.stderr : streams.stdout,
      ),
    print(text) {
      if (!json) streams.stdout.write(`${text}\n`);
    },
    printJson(value) {
      if (!json) return;
      if (jsonPrinted) throw new TypeError('Expected a command to print one JSON document, not two');
      jsonPrinted = true;
      streams.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
  };
}
