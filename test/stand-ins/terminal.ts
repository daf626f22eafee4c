import { commandLine } from '../replication/command-line.js';
import { Program, type ProgramOptions } from '../replication/program.js';

const ON_TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
const SIZED = 'stty cols 80 rows 24; exec "$@"';

/** The real command line on a terminal of 80 columns, which Python makes; what is written to it is typed there. */
export function startOnTerminal(args: readonly string[], { env, ...options }: ProgramOptions = {}): Program {
  const command = ['sh', '-c', SIZED, 'sh', ...commandLine(args)];
  return new Program(['python3', '-c', ON_TERMINAL, ...command], {
    ...options,
    env: { SYNC_API_KEY: undefined, TERM: 'xterm', NO_COLOR: undefined, FORCE_COLOR: undefined, ...env },
  });
}

/** Runs it to its end, and gives its lines without the carriage returns of a terminal. */
export async function runOnTerminal(
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<{ readonly code: number | null; readonly lines: readonly string[] }> {
  const program = startOnTerminal(args, options);
  const { code } = await program.ended;
  return { code, lines: program.lines.map((line) => line.replace(/\r$/, '')) };
}
