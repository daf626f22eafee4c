import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export interface ProgramEnd {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A process that a test started: its output line by line, and its end. Killed at the latest when the tests end. */
export class Program {
  readonly lines: string[] = [];
  /** Settles when it has ended and all its output was read. */
  readonly ended: Promise<ProgramEnd>;
  readonly #process: ChildProcess;
  readonly #events = new EventEmitter();
  #end: ProgramEnd | null = null;
  #errors = '';

  constructor(
    readonly command: readonly [string, ...string[]],
    options: ProgramOptions = {},
  ) {
    const [file, ...args] = command;
    this.#process = spawn(file, args, {
      stdio: 'pipe',
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    running.add(this.#process);
    this.ended = this.#watch();
    // whoever does not wait for the end still gets no unhandled rejection
    this.ended.catch(() => undefined);
  }

  get errors(): string {
    return this.#errors;
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error(`${this.name} was not started`);
    return this.#process.pid;
  }

  get isRunning(): boolean {
    return this.#end === null;
  }

  /** Resolves with the first line after `from` that fits; rejects when the program ends, or time is up, without one. */
  async line(fits: (line: string) => boolean, what: string, timeoutMs = 20_000, from = 0): Promise<string> {
    const deadline = AbortSignal.timeout(timeoutMs);
    for (let next = from; ;) {
      const found = this.lines.slice(next).find(fits);
      if (found !== undefined) return found;
      next = this.lines.length;
      if (this.#end !== null) throw new Error(`${this.name} ended without ${what}: ${this.transcript}`);
      await once(this.#events, 'news', { signal: deadline }).catch(() => {
        throw new Error(`${this.name} gave no ${what} within ${timeoutMs} ms: ${this.transcript}`);
      });
    }
  }

  write(text: string): void {
    this.#process.stdin?.write(text);
  }

  /** Ends its standard input. */
  closeInput(): void {
    this.#process.stdin?.end();
  }

  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<ProgramEnd> {
    this.#process.kill(signal);
    return this.ended;
  }

  get name(): string {
    return this.command.slice(0, 3).join(' ');
  }

  /** The end of what it wrote. */
  get transcript(): string {
    return [...this.lines.slice(-15), this.#errors.slice(-2000)].join('\n');
  }

  async #watch(): Promise<ProgramEnd> {
    const child = this.#process;
    if (child.stdout === null || child.stderr === null) throw new TypeError('Expected pipes');
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(line);
      this.#events.emit('news');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    child.stdin?.on('error', () => undefined); // it may end before it has read everything
    try {
      const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
      this.#end = { code, signal };
      return this.#end;
    } finally {
      this.#end ??= { code: null, signal: null };
      running.delete(child);
      this.#events.emit('news');
    }
  }
}
