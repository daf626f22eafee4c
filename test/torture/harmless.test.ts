import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RawText, type SqlValue } from '#src/wire/value.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { scratchFolder } from '../scratch.js';
import { pythonSession, shellSession, type Step, type StepOutcome } from './foreign-writers.js';
import { Pair, tableContent } from './replicas.js';
import { APP_SCHEMA, APP_SESSION, APP_TABLES } from './session.js';

const TABLES = ['customers', 'orders', 'lines', 'numbers', 'typed', 'log'];

/** Every setting of the pragmas that change what triggers and constraints do. */
const PRAGMAS = [
  ['recursive_triggers = ON', 'foreign_keys = ON', 'trusted_schema = OFF'],
  ['recursive_triggers = ON', 'foreign_keys = OFF', 'trusted_schema = ON'],
  ['recursive_triggers = OFF', 'foreign_keys = ON', 'trusted_schema = ON'],
  ['recursive_triggers = OFF', 'foreign_keys = OFF', 'trusted_schema = OFF'],
];

const TRIGGERS = fileURLToPath(new URL('../../sql/triggers', import.meta.url));

withPrograms(['python3', 'sqlite3'], () => {
  describe('an application that never hears of us', () => {
    let pair: Pair;
    /** The same database without anything of ours. */
    let plain: string;
    beforeEach(async () => {
      pair = await Pair.create({ schema: APP_SCHEMA, tables: APP_TABLES });
      plain = join(scratchFolder(), 'plain.db');
      const database = new BetterSqlite3(plain);
      database.exec(APP_SCHEMA);
      database.close();
    });
    afterEach(() => pair.close());

    for (const pragmas of PRAGMAS) {
      const steps = [...pragmas.map((pragma) => ({ sql: `PRAGMA ${pragma}` })), ...APP_SESSION];

      it(`sees the same in Python: rows, counts, ids and errors, with ${pragmas.join(', ')}`, async () => {
        const without = pythonSession(plain, steps);
        const captured = pythonSession(pair.ann.file, steps);
        expectSameOutcomes(without, captured, steps);
        await expectSameDatabases();
      });

      it(`sees the same in better-sqlite3: rows, counts, ids and errors, with ${pragmas.join(', ')}`, async () => {
        const without = nodeSession(plain, steps);
        const captured = nodeSession(pair.ann.file, steps);
        expectSameOutcomes(without, captured, steps);
        await expectSameDatabases();
      });

      it(`sees the same at the sqlite3 command line, with ${pragmas.join(', ')}`, async () => {
        const commands = [
          '.changes on',
          '.echo on',
          '.nullvalue NULL',
          '.mode quote',
          ...steps.flatMap(asCommands),
          'SELECT last_insert_rowid();',
        ].join('\n');
        const without = shellSession(plain, commands);
        const captured = shellSession(pair.ann.file, commands);
        expect(withoutTotals(captured.stdout)).to.equal(withoutTotals(without.stdout));
        expect(captured.stderr)
          .to.equal(without.stderr)
          .and.to.match(/UNIQUE[^]*NOT NULL[^]*CHECK[^]*negative total/);
        await expectSameDatabases();
      });
    }

    /** The rows are the same, and what was captured of them arrives. */
    async function expectSameDatabases(): Promise<void> {
      const before = new BetterSqlite3(plain);
      for (const table of TABLES) {
        expect(
          pair.ann.app((database) => rowsWithNumbers(database, table)),
          table,
        ).to.deep.equal(rowsWithNumbers(before, table));
      }
      before.close();
      pair.bob.execute(`ALTER TABLE typed ADD COLUMN more TEXT DEFAULT 'm'`);
      await pair.converge('customers', 'orders', 'lines', 'numbers', 'typed');
    }

    it('DELETE without WHERE counts its rows, and every one of them goes elsewhere too', async () => {
      const insert = { sql: `INSERT INTO numbers (value) VALUES ('a'), ('b'), ('c')` };
      const deletes = [{ sql: 'DELETE FROM numbers' }, { sql: 'DELETE FROM numbers' }];
      const counted = (outcomes: StepOutcome[]): unknown[] =>
        outcomes.flatMap(({ changes, rowcount }) => [changes, rowcount]);
      pythonSession(plain, [insert]);
      pythonSession(pair.ann.file, [insert]);
      await pair.converge('numbers');
      expect(counted(pythonSession(plain, deletes))).to.deep.equal([3, 3, 0, 0]);
      expect(counted(pythonSession(pair.ann.file, deletes))).to.deep.equal([3, 3, 0, 0]);
      await pair.converge('numbers');
      expect(pair.bob.values('SELECT count(*) FROM numbers')).to.deep.equal([0]);
    });

    it('writes as INSERT OR IGNORE: its clause overrides those in triggers, and the log still gets its entry', async () => {
      for (const clause of ['IGNORE', 'REPLACE', 'FAIL', 'ABORT', 'ROLLBACK']) {
        pythonSession(pair.ann.file, [
          { sql: `INSERT OR ${clause} INTO numbers (value) VALUES ('${clause}')` },
        ]);
        pythonSession(pair.ann.file, [{ sql: `UPDATE OR ${clause} numbers SET value = value || '!'` }]);
      }
      await pair.converge('numbers');
      expect(pair.bob.values('SELECT count(*) FROM numbers')).to.deep.equal([5]);
    });

    it('attaches the database under another name, from a connection with tables of its own', async () => {
      const other = join(scratchFolder(), 'other.db');
      const outcomes = pythonSession(other, [
        { sql: 'CREATE TABLE _sync_changes (mine)' },
        { sql: 'CREATE TEMP TABLE numbers (mine)' },
        { sql: `ATTACH '${pair.ann.file}' AS app` },
        { sql: `INSERT INTO app.numbers (value) VALUES ('attached')` },
        { sql: 'SELECT count(*) FROM main._sync_changes' },
      ]);
      expect(outcomes.map(({ error }) => error)).to.deep.equal([null, null, null, null, null]);
      expect(outcomes.at(-1)?.rows).to.deep.equal([['integer 0']]);
      await pair.converge('numbers');
      expect(pair.bob.values('SELECT value FROM numbers')).to.deep.equal(['attached']);
    });

    it('does not find its file unusable on an older SQLite: our triggers are plain SQL, and call no function of ours', () => {
      const newer =
        /json|->|\bON CONFLICT\b|\bRETURNING\b|unixepoch|subsec|\bFILTER\b|pragma_|sync_fingerprint/i;
      const installed = pair.ann.values(
        `SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '\\_sync\\_%' ESCAPE '\\'`,
      );
      const templates = readdirSync(TRIGGERS).map((name) => readFileSync(join(TRIGGERS, name), 'utf8'));
      expect(installed).to.have.length(4 * APP_TABLES.length);
      for (const sql of [...installed, ...templates]) expect(sql).not.to.match(newer);
    });

    it('never fails because of the log, which has no rule that an entry could break', () => {
      const strange = join(scratchFolder(), 'strange.db');
      pair.ann.execute('PRAGMA wal_checkpoint(TRUNCATE)');
      copyFileSync(pair.ann.file, strange);
      const rules = new BetterSqlite3(strange);
      expect(
        rules.prepare(`SELECT count(*) FROM pragma_index_list('_sync_changes') WHERE "unique"`).pluck().get(),
      ).to.equal(0);
      expect(
        rules
          .prepare(`SELECT count(*) FROM pragma_table_info('_sync_changes') WHERE "notnull"`)
          .pluck()
          .get(),
      ).to.equal(0);
      expect(
        rules.prepare(`SELECT sql FROM sqlite_schema WHERE name = '_sync_changes'`).pluck().get(),
      ).not.to.match(/CHECK|REFERENCES/i);
      rules.close();
    });
  });
});

function expectSameOutcomes(
  without: readonly StepOutcome[],
  captured: readonly StepOutcome[],
  steps: readonly Step[],
): void {
  let ours = 0;
  let entries = 0;
  let failed = 0;
  for (const [index, { sql }] of steps.entries()) {
    const [one, other] = [without[index], captured[index]];
    if (one === undefined || other === undefined) throw new Error(`no outcome of ${sql}`);
    const { totalChanges: total, entries: newest } = other;
    expect({ ...other, totalChanges: 0, entries: 0 }, sql).to.deep.equal({
      ...one,
      totalChanges: 0,
      entries: 0,
    });
    // apart from what our triggers write: an entry each, and none is lost but by a rollback
    const written = total - one.totalChanges - ours;
    const grown = (newest ?? 0) - entries;
    if (other.error === null && !sql.startsWith('ROLLBACK'))
      expect(written, `entries of ${sql}`).to.equal(grown);
    ours += written;
    entries = newest ?? 0;
    if (one.error !== null) failed += 1;
  }
  expect(failed, 'failed statements').to.be.greaterThan(15);
  expect(entries).to.be.greaterThan(50);
}

/** Rows with their row numbers, which triggers must not change either. */
function rowsWithNumbers(database: Database, table: string): unknown[] {
  const content = tableContent(database, table);
  if (table === 'lines') return content;
  return [...content, ...database.prepare(`SELECT rowid, * FROM ${table} ORDER BY rowid`).all()];
}

/** The same session with better-sqlite3's SQLite. */
function nodeSession(file: string, steps: readonly Step[]): StepOutcome[] {
  const database = new BetterSqlite3(file);
  const outcomes = steps.map((step) => nodeOutcome(database, step));
  database.close();
  return outcomes;
}

function nodeOutcome(database: Database, { sql, many }: Step): StepOutcome {
  let rows: string[][] = [];
  let error: StepOutcome['error'] = null;
  let result: { changes: number; lastInsertRowid: number | bigint } | null = null;
  try {
    const statement = database.prepare<unknown[], unknown[]>(sql).safeIntegers(true);
    for (const values of many ?? [[]]) {
      if (statement.reader)
        rows = statement
          .raw()
          .all(...values)
          .map((row) => row.map(shown));
      else result = statement.run(...values);
    }
  } catch (cause) {
    if (!(cause instanceof BetterSqlite3.SqliteError)) throw cause;
    error = { type: cause.name, code: cause.code, message: cause.message };
  }
  const counters = database
    .prepare('SELECT changes(), total_changes(), last_insert_rowid()')
    .raw()
    .get() as number[];
  const [changes = 0, totalChanges = 0, lastInsertRowid = 0] = counters;
  return {
    rows,
    rowcount: result?.changes ?? null,
    lastrowid: result === null ? null : Number(result.lastInsertRowid),
    error,
    changes,
    totalChanges,
    lastInsertRowid,
    inTransaction: database.inTransaction,
    entries: entriesOf(database),
  };
}

function entriesOf(database: Database): number | null {
  if (database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = '_sync_changes'`).get() === undefined)
    return null;
  return database.prepare('SELECT max(id) FROM main._sync_changes').pluck().get() as number | null;
}

function shown(value: unknown): string {
  const plain = value as null | bigint | number | string | Uint8Array;
  if (plain instanceof Uint8Array) return `blob ${Buffer.from(plain).toString('hex')}`;
  return `${typeof plain} ${plain}`;
}

/** A step as the command line takes it. */
function asCommands({ sql, many }: Step): string[] {
  if (many === undefined) return [`${sql};`];
  return many.map((values) => {
    let index = 0;
    return `${sql.replace(/\?/g, () => literalOf(values[index++] ?? null))};`;
  });
}

function literalOf(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `'${value}'`;
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  if (value instanceof RawText) throw new TypeError('Expected a value that stands in a script');
  return typeof value === 'number' ? value.toFixed(1) : String(value);
}

function withoutTotals(output: string): string {
  return output.replaceAll(/total_changes: *\d+/g, '');
}
