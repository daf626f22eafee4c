import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { toWire, type SqlValue } from '#src/wire/value.js';

/** One statement of a session, with values for its question marks: one row of them, or many. */
export interface Step {
  readonly sql: string;
  readonly values?: readonly SqlValue[];
  readonly many?: readonly (readonly SqlValue[])[];
}

/** What a program sees of one statement. */
export interface StepOutcome {
  /** Each value with its type, exactly. */
  readonly rows: readonly (readonly string[])[];
  readonly rowcount: number | null;
  readonly lastrowid: number | null;
  readonly error: { readonly type: string; readonly code: string | null; readonly message: string } | null;
  readonly changes: number;
  readonly totalChanges: number;
  readonly lastInsertRowid: number;
  readonly inTransaction: boolean;
  /** The newest id of the changelog; null where there is none. */
  readonly entries: number | null;
}

const SESSION = fileURLToPath(new URL('./writers/session.py', import.meta.url));

/** More than any session takes. */
const MAX_RUN_MS = 60_000;
const MAX_OUTPUT_BYTES = 64_000_000;

/** Runs a session in Python, with its own SQLite; statements may fail. */
export function pythonSession(file: string, steps: readonly Step[]): StepOutcome[] {
  const input = JSON.stringify({ file, steps: steps.map(toWireStep) });
  const { stdout } = run('python3', [SESSION], input, true);
  return JSON.parse(stdout) as StepOutcome[];
}

/** Runs statements in Python, each of which has to succeed. */
export function python(file: string, ...steps: readonly (string | Step)[]): StepOutcome[] {
  const session = steps.map((step) => (typeof step === 'string' ? { sql: step } : step));
  const outcomes = pythonSession(file, session);
  for (const [index, { error }] of outcomes.entries()) {
    if (error !== null) throw new Error(`${session[index]?.sql}: ${error.code} ${error.message}`);
  }
  return outcomes;
}

function toWireStep({ sql, values, many }: Step): object {
  return {
    sql,
    ...(values === undefined ? {} : { values: values.map(toWire) }),
    ...(many === undefined ? {} : { many: many.map((row) => row.map(toWire)) }),
  };
}

/** What the `sqlite3` command line wrote; `commands` may hold its dot commands too. */
export function shellSession(
  file: string,
  commands: string,
): { readonly stdout: string; readonly stderr: string } {
  return run('sqlite3', ['-batch', file], `.timeout 10000\n${commands}\n`, false);
}

/** Runs statements by the `sqlite3` command line, all of which have to succeed; the lines that it printed. */
export function shell(file: string, sql: string): string[] {
  const { stdout, stderr } = shellSession(file, `.bail on\n${sql}`);
  if (stderr !== '') throw new Error(`sqlite3: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}

function run(program: string, args: readonly string[], input: string, mustSucceed: boolean) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    input,
    encoding: 'utf8',
    timeout: MAX_RUN_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  if (error !== undefined) throw error;
  if (mustSucceed && status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return { stdout, stderr };
}
