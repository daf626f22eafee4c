import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { loadConfig } from '#src/config/load.js';
import { readTables } from '#src/database/table.js';
import { SyncError } from '#src/errors.js';
import type { SchemaChange } from '#src/threads/calls.js';
import { Reader } from '#src/threads/reader.js';
import { Writer } from '#src/threads/writer.js';
import { runMain, type Outcome } from '../cli/captured.js';
import { logHead, withDatabase } from '../replication/content.js';
import { scratchFolder } from '../scratch.js';

/** What pulling from one peer to its head did. */
export interface PullCounts {
  received: number;
  applied: number;
  conflicts: number;
  quarantined: number;
}

export interface PairOptions {
  readonly schema: string;
  /** The `tables:` of both; default: every table of the schema that can be replicated by name alone. */
  readonly tables?: readonly object[];
  /** Options of `migrate`. */
  readonly migrate?: readonly string[];
}

/** More rounds than two replicas ever need. */
const MAX_ROUNDS = 8;

/** A cursor moves when a table is captured anew: then a pull starts over, once. */
const MAX_OVERTAKEN = 3;

/** A page of a few changes, so that most tests cross page borders. */
const PAGE_SIZE = 7;

/**
 * A whole replica in this process: its file, its configuration, the command line, and what the daemon's two threads
 * do. Pages go from one to the other as the bytes that HTTP carries.
 */
export class TortureReplica {
  readonly file: string;
  private readonly configFile: string;
  private opened: { writer: Writer; reader: Reader; epoch: string } | null = null;
  private tables: readonly object[];

  constructor(
    readonly name: string,
    { schema, tables }: PairOptions,
  ) {
    const folder = scratchFolder();
    this.file = join(folder, 'app.db');
    this.configFile = join(folder, 'sync-config.yaml');
    const database = new BetterSqlite3(this.file);
    database.pragma('journal_mode = WAL');
    database.exec(schema);
    this.tables = tables ?? namesOf(database);
    database.close();
    this.configure(this.tables);
  }

  configure(tables: readonly object[]): void {
    this.tables = tables;
    const content = {
      node: { id: this.name },
      database: { path: './app.db', synchronous: 'off', low_disk: '1MB' },
      tables,
    };
    writeFileSync(this.configFile, stringify(content));
  }

  /** Runs a command, whatever comes of it. */
  async command(...args: readonly string[]): Promise<Outcome> {
    await this.close();
    return runMain([...args, '--config', this.configFile]);
  }

  /** Runs a command that has to succeed. */
  async run(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.command(...args);
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}${stdout}`);
    return stdout;
  }

  migrate(...args: readonly string[]): Promise<string> {
    return this.run('migrate', '--no-backup', ...args);
  }

  /** What the daemon does whenever another program has committed. */
  async fold(): Promise<{ entries: number; versions: number; schema: SchemaChange | null }> {
    return (await this.open()).writer.fold();
  }

  /** What the daemon does every night. */
  async prune(): Promise<void> {
    await (await this.open()).writer.prune();
  }

  /** Pulls from another replica to its head; `fold` false: whose application holds the write lock meanwhile. */
  async pull(from: TortureReplica, { fold = true } = {}): Promise<PullCounts> {
    const { writer, reader, epoch } = await this.open();
    const peer = await from.open();
    const counts: PullCounts = { received: 0, applied: 0, conflicts: 0, quarantined: 0 };
    let contradicted: readonly number[] = [];
    for (let overtaken = 0; ;) {
      if (fold) await peer.writer.fold(contradicted);
      const { cursor: since, pruned, ...start } = await reader.pullStart(from.name);
      const request = { ...start, since, limit: PAGE_SIZE, node: this.name, epoch, tables: null };
      const page = await peer.reader.page(request);
      // As the feed does, once for each.
      if (fold && page.changes === 0 && page.contradicted.some((logId) => !contradicted.includes(logId))) {
        ({ contradicted } = page);
        continue;
      }
      await peer.writer.acknowledge(this.name, epoch, since, start.member);
      const { body, sha256 } = page;
      const applied = await writer
        .apply({ peer: from.name, since, epoch, pruned, body, sha256 })
        .catch(unlessMoved);
      if (applied === null) {
        overtaken += 1;
        if (overtaken > MAX_OVERTAKEN)
          throw new Error(`the cursor of ${from.name} moves away again and again`);
        continue;
      }
      counts.received += applied.received;
      counts.applied += applied.applied;
      counts.conflicts += applied.conflicts;
      counts.quarantined += applied.quarantined;
      if (!page.hasMore) return counts;
    }
  }

  /** Runs work on a connection of an application's, with better-sqlite3's SQLite. */
  app<T>(work: (database: Database) => T): T {
    return withDatabase(this.file, work);
  }

  execute(sql: string): void {
    this.app((database) => database.exec(sql));
  }

  /** The first column of a query. */
  values(sql: string): unknown[] {
    return this.app((database) => database.prepare(sql).pluck().all());
  }

  rows(sql: string): unknown[] {
    return this.app((database) => database.prepare(sql).all());
  }

  get head(): unknown {
    return logHead(this.file);
  }

  /** Why changes are held here. */
  get held(): unknown[] {
    return this.values('SELECT reason FROM _sync_quarantine ORDER BY id');
  }

  async close(): Promise<void> {
    const opened = this.opened;
    this.opened = null;
    await opened?.reader.close();
    await opened?.writer.close();
  }

  private async open() {
    if (this.opened !== null) return this.opened;
    const config = loadConfig(this.configFile, {});
    const writer = new Writer(config);
    await writer.open();
    const reader = new Reader(config);
    await reader.open();
    this.opened = { writer, reader, epoch: (await reader.status()).epoch };
    return this.opened;
  }
}

/** Two replicas of one schema that pull from each other. */
export class Pair {
  private constructor(
    readonly ann: TortureReplica,
    readonly bob: TortureReplica,
  ) {}

  /** Makes both alike, but for what is said of bob. */
  static async create(options: PairOptions, ofBob: Partial<PairOptions> = {}): Promise<Pair> {
    const pair = new Pair(
      new TortureReplica('ann', options),
      new TortureReplica('bob', { ...options, ...ofBob }),
    );
    for (const replica of [pair.ann, pair.bob]) {
      await replica.migrate(...(options.migrate ?? []));
      await replica.run('backfill');
    }
    return pair;
  }

  /** Both pull from each other until nothing moves. */
  async settle(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const { received } = await this.bob.pull(this.ann);
      const back = await this.ann.pull(this.bob);
      if (received === 0 && back.received === 0) return;
    }
    throw new Error(`still moving after ${MAX_ROUNDS} rounds`);
  }

  /** Both pull until nothing moves; then these tables are equal, nothing is held, and further pulls move nothing. */
  async converge(...tables: readonly string[]): Promise<void> {
    await this.settle();
    expect(this.bob.held, 'held by bob').to.deep.equal([]);
    expect(this.ann.held, 'held by ann').to.deep.equal([]);
    this.expectSame(...tables);
    await this.expectQuiet();
  }

  /** Pulls back and forth: no row crosses, and no changelog grows. */
  async expectQuiet(): Promise<void> {
    const heads = [this.ann.head, this.bob.head];
    for (const [one, other] of [
      [this.ann, this.bob],
      [this.bob, this.ann],
      [this.ann, this.bob],
    ] as const) {
      expect(await one.pull(other), `${one.name} from ${other.name}`).to.include({ received: 0, applied: 0 });
    }
    expect([this.ann.head, this.bob.head], 'heads of the changelogs').to.deep.equal(heads);
  }

  /** Fails where these tables differ in some value or its type. */
  expectSame(...tables: readonly string[]): void {
    for (const table of tables) {
      expect(this.bob.app((database) => tableContent(database, table))).to.deep.equal(
        this.ann.app((database) => tableContent(database, table)),
        `"${table}" of bob against ann`,
      );
    }
  }

  async close(): Promise<void> {
    await this.ann.close();
    await this.bob.close();
  }
}

/** A pull goes on from the cursor that is stored now. */
function unlessMoved(error: unknown): null {
  if (error instanceof SyncError && error.code === 'cursor_moved') return null;
  throw error;
}

/** Every row of a table, generated columns included: type and bytes of every value, sorted. */
export function tableContent(database: Database, table: string): string[] {
  const columns = database
    .prepare<[string], string>('SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY name')
    .pluck()
    .all(table);
  const cells = columns.map((name) => `typeof(${quoted(name)}), ${exactly(quoted(name))}`).join(', ');
  const rows = database.prepare<[], unknown[]>(`SELECT ${cells} FROM ${quoted(table)}`);
  return rows
    .raw(true)
    .safeIntegers(true)
    .all()
    .map((row) => columns.map((name, index) => cell(name, row[index * 2], row[index * 2 + 1])).join(', '))
    .sort();
}

/** A longer value is shown by its beginning, its length and its hash. */
const MAX_SHOWN = 200;

function cell(name: string, type: unknown, value: unknown): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  if (text.length <= MAX_SHOWN) return `${name} ${String(type)} ${text}`;
  const digest = createHash('sha256').update(text).digest('hex');
  return `${name} ${String(type)} ${text.slice(0, 20)}… ${text.length} ${digest}`;
}

/** Text and blobs as the hex digits of their bytes; quote() would stop at a NUL. */
function exactly(column: string): string {
  return `CASE typeof(${column}) WHEN 'text' THEN hex(CAST(${column} AS BLOB)) WHEN 'blob' THEN hex(${column}) ELSE ${column} END`;
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function namesOf(database: Database): { name: string }[] {
  return readTables(database)
    .filter((table) => table.kind === 'table')
    .map(({ name }) => ({ name }));
}
