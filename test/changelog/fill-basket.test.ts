import { expect } from 'chai';
import fc from 'fast-check';
import { exactValues, type PlainValue } from '#src/changelog/row.js';
import { toWire, type SqlValue } from '#src/wire/value.js';
import type { WireChange, WireNamed } from '#src/wire/change.js';
import type { WirePage } from '#src/wire/page.js';
import { printedSeed, runsOf } from '../random.js';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';

const RUNS = runsOf({ suite: 60, soak: 2_000 });

/** More than SQLite writes at once. */
const MANY = 600;

const WIDE_COLUMNS = Array.from({ length: 450 }, (_, index) => `"column ""${index}"`);

const SCHEMA = `
  CREATE TABLE kept (key PRIMARY KEY NOT NULL, any, num NUMERIC, "it's ""odd""" TEXT, real REAL);
  CREATE TABLE pairs (a NOT NULL, b TEXT NOT NULL, body BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID;
  CREATE TABLE wide (id TEXT PRIMARY KEY, ${WIDE_COLUMNS.join(', ')});
`;
const TABLES = ['kept', 'pairs', 'wide'].map((name) => tableConfig(name));

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\0', '\n', '\u001f', '\u007f', "'", '\uFFFD', '\u2028'),
    maxLength: 8,
  }),
);

const plain = fc.oneof(
  { weight: 3, arbitrary: text },
  { weight: 2, arbitrary: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) },
  { weight: 2, arbitrary: fc.double({ noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(null, 2n ** 53n, 2n ** 53n - 1n, -(2n ** 53n), 1n - 2n ** 53n) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)) },
);
const row = fc.record({
  values: fc.array(plain, { minLength: 4, maxLength: 4 }),
  rawText: fc.constant<Buffer | null>(null),
});
/** Rows that can't be written at once: they are large, or hold bytes that are TEXT, clean or not. */
const oddRow = fc.record({
  values: fc.array(fc.oneof(plain, fc.constant('x'.repeat(20_000))), { minLength: 4, maxLength: 4 }),
  rawText: fc.option(fc.uint8Array({ minLength: 1, maxLength: 4 }).map((bytes) => Buffer.from(bytes))),
});
const rows = fc.oneof(
  fc.array(row, { minLength: 1, maxLength: 20 }),
  fc.array(fc.oneof(row, row, oddRow), { minLength: 1, maxLength: 20 }),
);

describe('the changes of a page', () => {
  let group: QuickGroup;
  let ann: QuickReplica;
  before(() => (group = new QuickGroup(SCHEMA, TABLES)));
  beforeEach(() => (ann = group.add('ann')));
  afterEach(() => group.clear());
  after(() => group.remove());

  function changes(limit = 10_000): WireChange[] {
    const found: WireChange[] = [];
    for (let cursor = '', more = true; more;) {
      const page = JSON.parse(ann.page(cursor, limit, null)) as WirePage;
      found.push(...(page.changes as WireChange[]));
      cursor = page.next_cursor;
      more = page.has_more;
    }
    return found;
  }

  /** Rows byte for byte, as they should stand in a page. */
  function stored(table: string, columns: readonly string[]): Map<string, object> {
    const bytes = columns.map((column) => `CAST(${column} AS BLOB)`);
    const sql = `SELECT ${[...columns, ...bytes].join(', ')} FROM ${table}`;
    const rows = ann.app.prepare(sql).safeIntegers(true).raw(true).all() as PlainValue[][];
    return new Map(
      rows.map((cells) => {
        const values = exactValues(cells).map((cell: SqlValue) => toWire(cell));
        return [JSON.stringify(values[0]), { values }];
      }),
    );
  }

  it('hold every value exactly as it is stored, many rows or few', () => {
    const runs = RUNS;
    fc.assert(
      fc.property(rows, (given) => {
        ann.app.exec('DELETE FROM kept');
        const insert = ann.app.prepare(`INSERT INTO kept VALUES (?, ?, ?, coalesce(CAST(? AS TEXT), ?), ?)`);
        for (const [index, { values, rawText }] of given.entries()) {
          insert.run(`key ${index}`, values[0], values[1], rawText, values[2], values[3]);
        }
        ann.fold();
        const expected = stored('kept', ['key', 'any', 'num', `"it's ""odd"""`, 'real']);
        const live = changes().filter(({ operation }) => operation === 'upsert');
        expect(live.length).to.equal(given.length);
        for (const { key, record } of live) {
          expect({ values: Object.values(record ?? {}) }).to.deep.equal(expected.get(JSON.stringify(key[0])));
        }
      }),
      { numRuns: runs, seed: printedSeed(runs) },
    );
  });

  it('are all there and in order, however many, between rows that are written one by one', () => {
    const insert = ann.app.prepare('INSERT INTO pairs VALUES (?, ?, ?)');
    for (let at = 0; at < MANY; at += 1) {
      insert.run(
        at % 7 === 0 ? BigInt(at) : `a ${at}`,
        `b ${at}`,
        at === 300 ? Buffer.alloc(30_000) : Buffer.from([at % 256]),
      );
    }
    ann.fold();
    ann.app.exec(`DELETE FROM pairs WHERE b IN ('b 5', 'b 599')`);
    ann.fold();
    for (const limit of [100, 256, 257, MANY]) {
      const found = changes(limit);
      expect(found.map(({ seq }) => seq)).to.deep.equal(
        found.map(({ seq }) => seq).toSorted((a, b) => a - b),
      );
      expect(new Set(found.map(({ key }) => JSON.stringify(key))).size).to.equal(MANY);
      expect(found.length).to.equal(MANY);
      expect(found.filter(({ record }) => record === null).map(({ key }) => key[1])).to.have.members([
        'b 5',
        'b 599',
      ]);
    }
  });

  it('of a table wider than a function has arguments are written all the same', () => {
    ann.app.prepare(`INSERT INTO wide (id, ${WIDE_COLUMNS[449] ?? ''}) VALUES ('a', 'last')`).run();
    ann.fold();
    const [change] = changes();
    expect(change?.record).to.include({ id: 'a', 'column "0': null, 'column "449': 'last' });
  });

  it('are names alone where the puller claims them, byte for byte and many or few', () => {
    const bob = group.add('bob');
    const dan = group.add('dan');
    for (const each of [bob, dan]) for (const peer of [ann, bob, dan]) if (each !== peer) each.pullFrom(peer);
    const insert = ann.app.prepare(`INSERT INTO kept (key, any) VALUES (coalesce(CAST(? AS TEXT), ?), 'x')`);
    for (let at = 0; at < MANY; at += 1)
      insert.run(at % 200 === 3 ? Buffer.from([97, 255, at / 3]) : null, `"${at}\0`);
    ann.fold();
    ann.app.exec(`DELETE FROM kept WHERE key = '"9' || char(0)`);
    bob.pullFrom(ann, 1_000);
    dan.pullFrom(ann, 1_000);
    const start = bob.startOf(dan);
    const page = JSON.parse(dan.page(start.cursor, 1_000, bob.origin, start)) as WirePage;
    const named = page.changes as WireNamed[];
    const all = changes();
    expect(named).to.have.length(MANY);
    const nameOf = ({ table, operation, key, stamp, origin, fingerprint }: WireNamed) =>
      JSON.stringify({ table, operation, key, stamp, origin, fingerprint });
    expect(named.map(nameOf)).to.have.members(all.map(nameOf));
    for (const name of named) expect(name).to.not.have.any.keys('record', 'seen', 'origin_seq');
  });

  it('end before the first of many rows that contradict their versions, and tell of them all', () => {
    const insert = ann.app.prepare('INSERT INTO pairs VALUES (?, ?, NULL)');
    for (let at = 0; at < MANY; at += 1) insert.run('a', `b ${String(at).padStart(3, '0')}`);
    ann.fold();
    ann.app.exec(`
      UPDATE _sync_guard SET applying = 1;
      DELETE FROM pairs WHERE b >= 'b 010';
      UPDATE _sync_guard SET applying = 0;`);
    const { changes: served, contradicted } = ann.builtPage('', 10_000);
    expect(served).to.equal(10);
    expect(contradicted).to.have.length(MANY - 10);
  });
});
