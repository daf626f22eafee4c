import type { Config } from '../config/config.js';
import { loadConfig } from '../config/load.js';
import { createLogger, type Logger } from '../log/logger.js';

export interface LibraryOptions {
  /** Where the log goes. Default: as `log` in the configuration says, on stderr. */
  readonly logger?: Logger;
}

/** The configuration and the logger that a caller means; throws what `loadConfig` throws. */
export function settle(
  config: Config | string,
  { logger }: LibraryOptions,
): { config: Config; logger: Logger } {
  const loaded = typeof config === 'string' ? loadConfig(config) : config;
  return { config: loaded, logger: logger ?? createLogger(loaded.log, process.stderr) };
}
