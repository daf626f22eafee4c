import type { Command } from 'commander';
import type { Config, LogLevel } from '../config/config.js';
import type { Logger } from '../log/logger.js';

/** 0: done. 1: the operation failed, or its answer is no. 2 is for wrong usage or configuration: throw a SyncError. */
export type ExitStatus = 0 | 1 | 2;

/** What a command is given instead of `process`: nothing in `commands/` touches stdout, stderr or argv itself. */
export interface CommandContext {
  /** Absolute path from `--config`, default `./sync-config.yaml`. The file need not exist. */
  readonly configFile: string;
  /** True with `--json`: print exactly one document with `printJson`, and nothing with `print`. */
  readonly json: boolean;
  /** From `--log-level`; null where the option was not given. */
  readonly logLevel: LogLevel | null;
  /** True where stdout is a terminal: progress bars, colours, wide tables. */
  readonly isTerminal: boolean;
  /** For one-shot commands: text on stderr. `--log-level` or `info`. */
  readonly logger: Logger;
  /** Reads and validates the configuration file. Throws a SyncError with exit code 2. */
  loadConfig(): Config;
  /**
   * For the daemon: a logger as the configuration's `log` says (`--log-level` wins), on stdout, since the log is
   * what a daemon prints; with `--json` on stderr.
   */
  openLog(config: Config): Logger;
  /** Writes text and a newline to stdout. Does nothing with `--json`. */
  print(text: string): void;
  /** Writes the one JSON document of `--json` to stdout. Does nothing without `--json`. */
  printJson(value: unknown): void;
}

/** What a file in `commands/` exports, as `command`. */
export interface CommandDefinition<Options extends object = object> {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** Declares arguments and options. `--config`, `--json`, `--log-level` and `--help` are there already. */
  configure(command: Command): void;
  /** `options` in camel case as commander makes them, `args` the positional arguments as given. */
  run(context: CommandContext, options: Options, args: readonly string[]): Promise<ExitStatus>;
}
