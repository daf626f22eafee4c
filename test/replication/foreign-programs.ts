import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Program } from './program.js';

const PROGRAMS = {
  python3: ['-c', 'import sqlite3; print(sqlite3.sqlite_version)'],
  sqlite3: ['--version'],
} as const;

/**
 * For a `before` hook: the tests that follow write with programs that know nothing of us. Where one is missing, it
 * says so and leaves them out; in CI it fails instead.
 */
export function requireForeignPrograms(context: Mocha.Context, ...names: (keyof typeof PROGRAMS)[]): void {
  const missing = names.filter((name) => spawnSync(name, PROGRAMS[name]).status !== 0);
  if (missing.length === 0) return;
  const message = `MISSING: ${missing.join(' and ')}; install ${missing.length === 1 ? 'it' : 'them'} to run these tests`;
  if (process.env.CI !== undefined && process.env.CI !== '') throw new Error(message);
  console.warn(`\n    ${message}\n`);
  context.skip();
}

/** A script of `writers/`, run by Python with its own SQLite. */
export function startPython(script: string, ...args: readonly string[]): Program {
  const file = fileURLToPath(new URL(`./writers/${script}`, import.meta.url));
  return new Program(['python3', file, ...args]);
}

/** A statement's answer is awaited this long. */
const MAX_ANSWER_MS = 15_000;

/** The `sqlite3` command line on one database, asked statement by statement; a failed statement rejects. */
export class SqliteShell {
  readonly #program: Program;
  #asked = 0;

  constructor(database: string) {
    this.#program = new Program(['sqlite3', '-batch', '-bail', database]);
    this.#program.write('.timeout 10000\n');
  }

  /** Runs SQL and returns the lines that it printed. */
  async run(sql: string): Promise<string[]> {
    this.#asked += 1;
    const mark = `answered ${this.#asked}`;
    const from = this.#program.lines.length;
    this.#program.write(`${sql}\n.print ${mark}\n`);
    await this.#program.line((line) => line === mark, `answer to ${sql}`, MAX_ANSWER_MS, from);
    return this.#program.lines.slice(from, -1);
  }

  async close(): Promise<void> {
    this.#program.closeInput();
    const { code } = await this.#program.ended;
    if (code !== 0 || this.#program.errors !== '')
      throw new Error(`sqlite3 failed: ${this.#program.transcript}`);
  }
}
