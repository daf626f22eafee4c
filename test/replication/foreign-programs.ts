import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findChromium } from '../dashboard/find-chromium.js';
import { Program } from './program.js';

const PROGRAMS = {
  python3: ['-c', 'import sqlite3'],
  sqlite3: ['--version'],
  openssl: ['version'],
  chromium: ['--version'],
} as const;

type ProgramName = keyof typeof PROGRAMS;

const missing = new Map<ProgramName, boolean>();

/**
 * Defines tests that write with programs that know nothing of us. Where one is missing it says so and leaves them out;
 * in CI they fail instead. (A skipped test would fail the run everywhere.)
 */
export function withPrograms(names: readonly ProgramName[], define: () => void): void {
  const absent = names.filter(isMissing);
  if (absent.length === 0) {
    define();
    return;
  }
  const message = `MISSING: ${absent.join(' and ')}, without which some tests can't run`;
  console.warn(`\n  ${message}\n`);
  if ((process.env.CI ?? '') === '') return;
  it(`has ${absent.join(' and ')}`, () => {
    throw new Error(message);
  });
}

function isMissing(name: ProgramName): boolean {
  const program = name === 'chromium' ? (findChromium() ?? name) : name;
  const found = missing.get(name) ?? spawnSync(program, PROGRAMS[name]).status !== 0;
  missing.set(name, found);
  return found;
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
