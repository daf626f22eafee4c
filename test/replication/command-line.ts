import { fileURLToPath } from 'node:url';
import { Program, type ProgramOptions } from './program.js';

export interface CliResult {
  /** -1 where a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that is not done by then hangs. */
const MAX_RUN_MS = 60_000;

const BIN = fileURLToPath(new URL('../../bin/sqlite-p2p-sync.js', import.meta.url));

/** No key of the person who runs the tests, and no port of a daemon of theirs, gets into a test. */
const NO_KEY = { SYNC_API_KEY: undefined };

/** The real command line, as a process is started with it. */
export function commandLine(args: readonly string[]): [string, ...string[]] {
  return [process.execPath, BIN, ...args];
}

/** Starts the real command line in a process of its own. */
export function startCli(args: readonly string[], options: ProgramOptions = {}): Program {
  return new Program(commandLine(args), { ...options, env: { ...NO_KEY, ...options.env } });
}

/** Runs the real command line in a process of its own, whatever comes of it. */
export async function runCli(args: readonly string[], options: ProgramOptions = {}): Promise<CliResult> {
  const program = startCli(args, options);
  program.closeInput();
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    void program.end('SIGKILL');
  }, MAX_RUN_MS);
  const { code } = await program.ended;
  clearTimeout(timer);
  if (hung) throw new Error(`${args.join(' ')} was not done after ${MAX_RUN_MS} ms: ${program.transcript}`);
  return { code: code ?? -1, stdout: program.lines.join('\n'), stderr: program.errors };
}

/** Runs a command that has to succeed. */
export async function runCliWell(args: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, options);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}
