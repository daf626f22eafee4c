import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { nearest } from '../config/nearest.js';
import { SyncError } from '../errors.js';
import { packageRoot } from '../package-root.js';
import type { CommandDefinition, ExitStatus } from './command.js';
import { createContext, DEFAULT_CONFIG_FILE, type GlobalOptions, type RunContext } from './context.js';
import { helpAfter } from './examples.js';
import { reportFailure } from './report.js';
import type { Streams } from './streams.js';

const LOG_LEVELS = ['error', 'warn', 'info', 'debug'];

interface Run {
  context: RunContext | null;
  status: ExitStatus;
}

/** Runs one command line (without `node` and the script) and says how it ended; `definitions` are the commands that it knows. Never throws. */
export async function main(
  argv: readonly string[],
  streams: Streams,
  definitions: readonly CommandDefinition[],
): Promise<ExitStatus> {
  const run: Run = { context: null, status: 0 };
  try {
    const program = createProgram(run, streams, definitions);
    if (argv.length === 0) {
      streams.stderr.write(program.helpInformation());
      return 2;
    }
    await program.parseAsync([...argv], { from: 'user' });
    return run.status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0; // --help and --version
    return reportFailure(isNoTopic(error) ? unknownTopic(argv, definitions) : error, streams, {
      json: wantsJson(argv, run) && run.context?.jsonPrinted !== true,
      stack: run.context?.logLevel === 'debug',
    });
  }
}

/** `help NAME` with a name that there is not: commander says only that it gave its help instead. */
function isNoTopic(error: unknown): boolean {
  return error instanceof CommanderError && error.code === 'commander.help';
}

function unknownTopic(argv: readonly string[], definitions: readonly CommandDefinition[]): SyncError {
  const topic = argv[argv.indexOf('help') + 1] ?? '';
  const names = definitions.map(({ name }) => name);
  const meant = nearest(topic, names);
  const hint = meant === null ? 'See sqlite-p2p-sync --help.' : `Did you mean ${meant}?`;
  return new SyncError('usage', `unknown command '${topic}'`, { hint, exitCode: 2 });
}

function wantsJson(argv: readonly string[], run: Run): boolean {
  return run.context?.json ?? argv.includes('--json');
}

function createProgram(run: Run, streams: Streams, definitions: readonly CommandDefinition[]): Command {
  const program = prepare(new Command('sqlite-p2p-sync'), streams)
    .description('Multi-master replication for existing SQLite databases.')
    .version(packageVersion(), '--version', 'print the version')
    .usage('[options] <command>');
  addGlobalOptions(program);
  for (const definition of definitions) {
    const command = prepare(program.createCommand(definition.name), streams).description(definition.summary);
    definition.configure(command);
    addGlobalOptions(command);
    command.addHelpText('after', helpAfter(definition.name));
    command.action(async () => {
      const options = { ...program.opts<GlobalOptions>(), ...command.opts<GlobalOptions>() };
      run.context = createContext(options, streams);
      run.status = await definition.run(run.context, options, command.args);
    });
    program.addCommand(command);
  }
  return program;
}

/** Errors are thrown and reported by us, help goes to the given streams. */
function prepare(command: Command, streams: Streams): Command {
  return command
    .exitOverride()
    .helpOption('--help', 'show this help')
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: () => undefined,
    });
}

/** On every command and before it, so that both `--json status` and `status --json` work. */
function addGlobalOptions(command: Command): void {
  command
    .option('--config <file>', `configuration file (default: ${DEFAULT_CONFIG_FILE})`)
    .option('--json', 'print one JSON document on stdout; logs go to stderr')
    .addOption(new Option('--log-level <level>', 'how much to log').choices(LOG_LEVELS));
}

function packageVersion(): string {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
