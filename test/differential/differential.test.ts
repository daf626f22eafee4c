import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { loadConfig } from '#src/config/load.js';
import { Reader } from '#src/threads/reader.js';
import { Writer } from '#src/threads/writer.js';
import { runMain } from '../cli/captured.js';
import { printedSeed, runsOf } from '../random.js';
import { scratchFolder } from '../scratch.js';
import { session, SessionSchema, quoted, type Step } from './session.js';
import { TwoDatabases, type Answer } from './two-databases.js';

const RUNS = runsOf({ suite: 60, random: 300, soak: 2_000 });

describe('an app that does not notice us', () => {
  let both: TwoDatabases;
  before(() => (both = new TwoDatabases()));
  after(() => {
    both.end();
  });

  it('sees the same in random sessions with and without our triggers, and a second replica follows', async function () {
    this.timeout(RUNS * 10_000);
    const seed = printedSeed(RUNS);
    await fc.assert(
      fc.asyncProperty(session, async ({ schema, steps }) => {
        const run = await Session.start(both, new SessionSchema(schema));
        try {
          for (const step of steps) await run.take(step);
          await run.finish();
        } finally {
          await run.end();
        }
      }),
      { numRuns: RUNS, seed, endOnFailure: process.env.FC_SEED !== undefined },
    );
  });
});

/** One session: a plain database, a captured one beside it, and a replica of that. */
class Session {
  private inTransaction = false;

  private constructor(
    private readonly both: TwoDatabases,
    private readonly schema: SessionSchema,
    private readonly plain: Database,
    private readonly captured: Replica,
    private readonly follower: Replica,
  ) {}

  static async start(both: TwoDatabases, schema: SessionSchema): Promise<Session> {
    const folder = scratchFolder();
    const plain = createFile(join(folder, 'plain.db'), schema.create);
    const captured = await Replica.create(folder, 'captured', schema);
    const follower = await Replica.create(folder, 'follower', schema);
    await both.open(plain.name, captured.app.name);
    return new Session(both, schema, plain, captured, follower);
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'pull':
        if (!this.inTransaction) await this.follower.pullFrom(this.captured);
        return;
      case 'add-column':
      case 'drop-column':
      case 'rename-column':
      case 'index':
      case 'vacuum':
        await this.change(this.schema.changeOf(step));
        return;
      case 'rebuild':
        await this.rebuild(step);
        return;
      default:
        await this.run(this.schema.sqlOf(step));
    }
  }

  async finish(): Promise<void> {
    if (this.inTransaction) await this.run('COMMIT');
    await this.follower.pullFrom(this.captured);
    for (const table of this.schema.tables) {
      const expected = contentOf(this.plain, table.name, table.key);
      expect(contentOf(this.captured.app, table.name, table.key), `captured ${table.name}`).to.deep.equal(
        expected,
      );
      const followed = contentOf(this.follower.app, table.name, table.key);
      expect(followed, `follower's ${table.name}`).to.deep.equal(expected);
    }
    const again = await this.follower.pullFrom(this.captured);
    expect(again, 'changes in one more pull').to.equal(0);
  }

  async end(): Promise<void> {
    await this.both.close();
    this.plain.close();
    await this.captured.close();
    await this.follower.close();
  }

  private async run(sql: string): Promise<boolean> {
    const { plain, captured } = await this.both.run(sql);
    const difference = `${sql}: ${JSON.stringify(plain)} became ${JSON.stringify(captured)}`;
    const known = sameRowidAfterFault(plain, captured);
    expect(known, difference).to.deep.equal(plain);
    if (captured.last_insert_rowid !== plain.last_insert_rowid)
      await this.both.run('INSERT INTO local DEFAULT VALUES');
    this.inTransaction = plain.in_transaction;
    return plain.error === undefined;
  }

  /** A change of the schema: the follower's people make it too, once it has what came before. */
  private async change({ statements, done }: { statements: string[]; done: () => void }): Promise<void> {
    if (this.inTransaction || statements.length === 0) return;
    await this.follower.pullFrom(this.captured);
    for (const sql of statements) {
      if (!(await (sql === 'VACUUM' ? this.vacuum() : this.run(sql)))) return;
      this.follower.app.exec(sql);
    }
    done();
    // A running daemon sees the change at once.
    await this.captured.writer.fold();
    await this.follower.writer.fold();
  }

  /** SQLite's VACUUM leaves the last row of the last table as last_insert_rowid(), and ours are tables too. */
  private async vacuum(): Promise<boolean> {
    const { plain, captured } = await this.both.run('VACUUM');
    expect(captured.error).to.equal(plain.error);
    return this.run('INSERT INTO local DEFAULT VALUES');
  }

  /** The twelve steps by which tools change a table that ALTER TABLE can't: a new one takes its place. */
  private async rebuild(step: Step): Promise<void> {
    const table = this.schema.tables[step.a % 2];
    // The follower's own comparison would then take each row for edited there.
    if (this.inTransaction || table === undefined || table.altered) return;
    await this.follower.pullFrom(this.captured);
    const create = this.plain
      .prepare<[string], string>(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`)
      .pluck()
      .get(table.name);
    const stored = [...table.key, ...table.columns].map(quoted).join(', ');
    const rebuilt = (create ?? '').replace(/^CREATE TABLE\s+("(?:[^"]|"")*"|\w+)/, 'CREATE TABLE rebuilt');
    const statements = [
      'PRAGMA foreign_keys = OFF',
      'BEGIN',
      rebuilt,
      `INSERT INTO rebuilt (${stored}) SELECT ${stored} FROM ${quoted(table.name)}`,
      `DROP TABLE ${quoted(table.name)}`,
      `ALTER TABLE rebuilt RENAME TO ${quoted(table.name)}`,
      'COMMIT',
    ];
    for (const sql of statements) {
      await this.run(sql);
      this.follower.app.exec(sql);
    }
    if (step.c % 2 === 0) await this.run(`DELETE FROM ${quoted(table.name)}`);
    await this.captured.writer.fold();
    await this.follower.writer.fold();
  }
}

/**
 * SQLite checks a foreign key after the insert, not before, where triggers stand: an INSERT that it refuses has then
 * moved last_insert_rowid() (docs/guarantees.md).
 */
function sameRowidAfterFault(plain: Answer, captured: Answer): Answer {
  if (plain.error !== 'SQLITE_CONSTRAINT_FOREIGNKEY') return captured;
  return { ...captured, last_insert_rowid: plain.last_insert_rowid };
}

class Replica {
  private constructor(
    private readonly node: string,
    readonly app: Database,
    readonly writer: Writer,
    private readonly reader: Reader,
  ) {}

  static async create(folder: string, node: string, schema: SessionSchema): Promise<Replica> {
    const app = createFile(join(folder, `${node}.db`), schema.create);
    const file = join(folder, `${node}.yaml`);
    const tables = schema.tables.map((table) => ({
      name: table.name,
      allow_integer_key: true,
      ...(table.timestamp === null ? {} : { timestamp_column: table.timestamp }),
    }));
    const database = { path: app.name, synchronous: 'off' };
    writeFileSync(file, stringify({ node: { id: node }, database, tables }));
    const { status, stderr } = await runMain(['migrate', '--no-backup', '--config', file]);
    if (status !== 0) throw new Error(stderr);
    const config = loadConfig(file, {});
    const writer = new Writer(config);
    await writer.open();
    const reader = new Reader(config);
    await reader.open();
    return new Replica(node, app, writer, reader);
  }

  /** Pulls to the peer's head; how many changes came. */
  async pullFrom(peer: Replica): Promise<number> {
    let received = 0;
    for (let more = true; more;) {
      await peer.writer.fold();
      const { cursor: since } = await this.reader.pullStart(peer.node);
      const page = await peer.reader.page({ since, limit: 5, node: null, epoch: null, tables: null });
      const applied = await this.writer.apply({
        peer: peer.node,
        since,
        epoch: null,
        body: page.body,
        sha256: page.sha256,
      });
      received += applied.received;
      more = applied.hasMore;
    }
    return received;
  }

  async close(): Promise<void> {
    await this.reader.close();
    await this.writer.close();
    this.app.close();
  }
}

function createFile(path: string, create: string): Database {
  const database = new BetterSqlite3(path);
  database.pragma('foreign_keys = OFF');
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; ${create}`);
  return database;
}

function contentOf(database: Database, table: string, key: readonly string[]): unknown[] {
  const columns = database
    .prepare<[string], string>(`SELECT name FROM pragma_table_xinfo(?) ORDER BY name`)
    .pluck()
    .all(table)
    .map((name) => `typeof(${quoted(name)}) || ':' || quote(${quoted(name)}) AS ${quoted(name)}`);
  const order = key.map((name) => `typeof(${quoted(name)}), ${quoted(name)} COLLATE BINARY`).join(', ');
  return database.prepare(`SELECT ${columns.join(', ')} FROM ${quoted(table)} ORDER BY ${order}`).all();
}
