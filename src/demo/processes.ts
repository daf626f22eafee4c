import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { SyncError } from '../errors.js';

/** Time to end in order, before a process is killed. */
const END_GRACE_MS = 10_000;
/** Of what a process wrote, this much is kept for its result and for error messages. */
const MAX_KEPT_CHARS = 1_000_000;

export interface Ending {
  /** The exit code, or the name of the signal that ended it. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** One of the operating system's processes that the demo started. */
export interface Child {
  readonly name: string;
  /** Its process id; 0 where it could not be started. */
  readonly pid: number;
  /** Null while it runs. */
  readonly ending: Ending | null;
  /** Resolves when it has ended, however that was. */
  readonly ended: Promise<Ending>;
  /** Ends its standard input. */
  closeInput(): void;
  /** Asks it to end by SIGTERM, kills it when it does not. */
  terminate(): Promise<Ending>;
}

export interface StartOptions {
  /** Called with each line of its standard output. */
  readonly onLine?: (line: string) => void;
  /** What it writes is added to this file. */
  readonly log?: string;
}

/** Every process of the demo, so that none outlives it. */
export class Processes {
  readonly #running = new Set<Child>();
  #closed = false;

  /** Starts a script of ours with this Node. */
  start(name: string, script: string, args: readonly string[], options: StartOptions = {}): Child {
    if (this.#closed) throw new SyncError('demo_ended', `the demo has ended: ${name} is not started`);
    const child = watch(name, spawn(process.execPath, [script, ...args]), options);
    this.#running.add(child);
    void child.ended.then(() => this.#running.delete(child));
    return child;
  }

  /** Runs a script to its end and returns what it printed. Rejects with `demo_command_failed`. */
  async run(name: string, script: string, args: readonly string[]): Promise<string> {
    const child = this.start(name, script, args);
    child.closeInput();
    return requireSuccess(name, await child.ended);
  }

  /** Starts nothing more, and ends what runs. */
  async endAll(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((child) => child.terminate()));
  }
}

/** Its output, if it ended with 0. Throws `demo_command_failed`. */
export function requireSuccess(name: string, { code, stdout, stderr }: Ending): string {
  if (code === 0) return stdout;
  const said = stderr.trim().split('\n').at(-1) ?? '';
  throw new SyncError('demo_command_failed', `${name} ended with ${code}: ${said}`);
}

function watch(name: string, process: ChildProcess, { onLine, log }: StartOptions): Child {
  const output = { stdout: '', stderr: '' };
  const file = log === undefined ? null : createWriteStream(log, { flags: 'a' });
  for (const which of ['stdout', 'stderr'] as const) {
    process[which]?.setEncoding('utf8').on('data', (text: string) => {
      output[which] = (output[which] + text).slice(-MAX_KEPT_CHARS);
      file?.write(text);
    });
  }
  if (onLine !== undefined && process.stdout !== null) {
    createInterface({ input: process.stdout }).on('line', onLine);
  }
  let ending: Ending | null = null;
  const ended = endingOf(process).then((code) => {
    file?.end();
    return (ending = { code, ...output });
  });
  return {
    name,
    pid: process.pid ?? 0,
    get ending() {
      return ending;
    },
    ended,
    closeInput: () => process.stdin?.end(),
    async terminate() {
      process.kill('SIGTERM');
      const kill = setTimeout(() => process.kill('SIGKILL'), END_GRACE_MS);
      await ended;
      clearTimeout(kill);
      return ended;
    },
  };
}

function endingOf(process: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    process.once('error', (error) => {
      resolve(error.message);
    });
    process.once('close', (code, signal) => {
      resolve(code ?? signal ?? 'unknown');
    });
    // a process that has ended already reads nothing any more
    process.stdin?.on('error', () => undefined);
  });
}
