import { Writable } from 'node:stream';
import type { CommandDefinition, ExitStatus } from '#src/cli/command.js';
import { main } from '#src/cli/main.js';
import { allCommands } from './all-commands.js';

/** A stream that keeps what is written to it. */
export class Captured extends Writable {
  text = '';

  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export interface Outcome {
  readonly status: ExitStatus;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line within this process. */
export async function runMain(
  argv: readonly string[],
  definitions: readonly CommandDefinition[] = allCommands,
): Promise<Outcome> {
  const stdout = new Captured();
  const stderr = new Captured();
  const status = await main(argv, { stdout, stderr }, definitions);
  return { status, stdout: stdout.text, stderr: stderr.text };
}
