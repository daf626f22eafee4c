import { commandsFor } from './commands.js';
import { main } from './main.js';
import { reportFailure } from './report.js';

/** Runs the command line of this process; the exit code is set, pending output is flushed before the end. */
export async function runProcess(): Promise<void> {
  // a reader that went away (`| head`) is no error of ours
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  process.on('uncaughtException', (error) => {
    process.exit(reportFailure(error, process, { json: false, stack: process.argv.includes('debug') }));
  });
  const argv = process.argv.slice(2);
  process.exitCode = await main(argv, process, await commandsFor(argv));
}
