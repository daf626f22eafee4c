import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import { openChangelog, type Changelog } from '#src/changelog/changelog.js';
import { readStretch, sumOf, type KeyRange } from '#src/changelog/stretch.js';
import { toReplicatedTable, type ReplicatedTable } from '#src/database/replicable.js';
import { findTable, readTables } from '#src/database/table.js';
import type { Sql } from '#src/sql/template.js';
import { keyText } from '#src/wire/key-text.js';
import { RawText, type SqlValue } from '#src/wire/value.js';
import { addSums, EMPTY_SUM, sumToWire } from '#src/wire/sums.js';
import { printedSeed, runsOf } from '../random.js';
import { tableConfig } from '../replication/quick-replica.js';

const RUNS = runsOf({ suite: 150, soak: 2_000 });

/** Tables whose keys compare in different ways; the first columns are the key. */
const TABLES: Readonly<Record<string, { sql: string; key: readonly string[]; plan: RegExp }>> = {
  plain: { sql: 'id TEXT PRIMARY KEY, v', key: ['id'], plan: /USING INDEX sqlite_autoindex_t_1/ },
  nocase: {
    sql: 'id TEXT COLLATE NOCASE PRIMARY KEY, v',
    key: ['id'],
    plan: /USING INDEX sqlite_autoindex_t_1/,
  },
  rtrim: {
    sql: 'id TEXT COLLATE RTRIM PRIMARY KEY, v',
    key: ['id'],
    plan: /USING INDEX sqlite_autoindex_t_1/,
  },
  otherwise: {
    sql: 'id TEXT COLLATE NOCASE, v, UNIQUE (id COLLATE BINARY)',
    key: ['id'],
    plan: /USING INDEX sqlite_autoindex_t_1/,
  },
  untyped: { sql: 'id PRIMARY KEY, v', key: ['id'], plan: /USING INDEX sqlite_autoindex_t_1/ },
  numbers: { sql: 'id INTEGER PRIMARY KEY, v', key: ['id'], plan: /USING INTEGER PRIMARY KEY|SCAN w/ },
  pair: {
    sql: 'a, b TEXT COLLATE NOCASE, v, PRIMARY KEY (a, b)',
    key: ['a', 'b'],
    plan: /USING INDEX sqlite_autoindex_t_1/,
  },
  turned: { sql: 'a, b, v, UNIQUE (b, a)', key: ['a', 'b'], plan: /USING INDEX sqlite_autoindex_t_1/ },
  rowless: {
    sql: 'a, b, v, PRIMARY KEY (a, b)) WITHOUT ROWID --',
    key: ['a', 'b'],
    plan: /USING PRIMARY KEY|SCAN w/,
  },
};

const value: fc.Arbitrary<SqlValue> = fc.oneof(
  fc.constantFrom<SqlValue>('a', 'A', 'b ', 'b', 'é', 'Z', '', '1', 'a\0b'),
  fc.string({ maxLength: 3 }),
  fc.integer({ min: -3, max: 3 }).map(BigInt),
  fc.constantFrom<SqlValue>(0.5, -1.5, 1e300, 9007199254740993n),
  fc.uint8Array({ maxLength: 2 }),
  fc.constantFrom<SqlValue>(new RawText(Uint8Array.of(0xff)), new RawText(Uint8Array.of(0x61, 0xfe))),
);

describe('Stretches of rows', () => {
  let database: Database;
  beforeEach(() => (database = new BetterSqlite3(':memory:')));
  afterEach(() => database.close());

  function open(columns: string, key: readonly string[]): { changelog: Changelog; table: ReplicatedTable } {
    database.exec(`DROP TABLE IF EXISTS t; CREATE TABLE t (${columns}\n)`.replace(/--\n\)/, ''));
    database.exec(`DROP TABLE IF EXISTS _sync_changes; DROP TABLE IF EXISTS _sync_origins;
      CREATE TABLE _sync_changes (id INTEGER PRIMARY KEY AUTOINCREMENT, table_name TEXT, record_id, record_id_2,
        operation TEXT, timestamp INTEGER, origin INTEGER, fingerprint BLOB, seen TEXT, rank INTEGER, key_hash INTEGER);
      CREATE INDEX _sync_changes_row ON _sync_changes (key_hash) WHERE key_hash IS NOT NULL;
      CREATE TABLE _sync_origins (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
      INSERT INTO _sync_origins VALUES (1, 'ann@aa')`);
    const found = findTable(readTables(database), 't');
    if (found === undefined) throw new Error('no table t');
    const config = tableConfig('t', { primaryKey: key, allowIntegerKey: true });
    const table = toReplicatedTable(found, config);
    return { changelog: openChangelog(database, [table]), table };
  }

  function insert(key: readonly string[], rows: readonly (readonly SqlValue[])[]): void {
    for (const row of rows) {
      const places = row.map((cell) => (cell instanceof RawText ? 'CAST(? AS TEXT)' : '?')).join(', ');
      const sql = `INSERT OR IGNORE INTO t (${key.join(', ')}, v) VALUES (${places}, 1)`;
      const cells = row.map((cell) => (cell instanceof RawText ? cell.bytes : cell));
      try {
        database.prepare(sql).run(...cells);
      } catch (error) {
        if (!String(error).includes('datatype mismatch')) throw error;
      }
    }
    const columns = key.map((_, index) => (index === 0 ? 'record_id' : 'record_id_2')).join(', ');
    database.exec(`INSERT INTO _sync_changes (table_name, ${columns}, key_hash, timestamp, origin, fingerprint)
      SELECT 't', ${key.join(', ')}, sync_key_hash('t', ${key.join(', ')}), 5, 1, x'00' FROM t`);
  }

  for (const [name, { sql, key, plan }] of Object.entries(TABLES)) {
    it(`cover a table once, whatever its keys (${name}), and add up to the whole`, () => {
      const rowOf = fc.tuple(...key.map(() => value));
      fc.assert(
        fc.property(fc.array(rowOf, { maxLength: 25 }), fc.integer({ min: 1, max: 6 }), (rows, limit) => {
          const { changelog, table } = open(sql, key);
          insert(key, rows);
          const columns = table.columns;
          const whole = readStretch(changelog, table, { after: null, upto: null }, { columns, limit: 1_000 });
          expect(whole.length).to.equal(database.prepare('SELECT count(*) FROM t').pluck().get());
          expect(whole.filter(({ version }) => version === null)).to.deep.equal([]);
          const seen: string[] = [];
          let sum = EMPTY_SUM;
          for (let after: KeyRange['after'] = null; ;) {
            const part = readStretch(changelog, table, { after, upto: null }, { columns, limit });
            const last = part.at(-1);
            if (last === undefined) break;
            const again = readStretch(changelog, table, { after, upto: last.key }, { columns, limit: 1_000 });
            expect(again).to.deep.equal(part);
            seen.push(...part.map((row) => keyText(row.key)));
            sum = addSums(sum, sumOf(part));
            after = last.key;
          }
          expect(seen).to.deep.equal(whole.map((row) => keyText(row.key)));
          expect(sumToWire(sum)).to.deep.equal(sumToWire(sumOf(whole)));
        }),
        { numRuns: RUNS, seed: printedSeed(RUNS) },
      );
    });

    it(`are read along the index of the key (${name}), and their versions by theirs`, () => {
      const { changelog, table } = open(sql, key);
      insert(key, [key.map(() => 'x')]);
      const ranges: KeyRange[] = [
        { after: null, upto: null },
        { after: key.map(() => 'a'), upto: null },
        { after: key.map(() => 'a'), upto: key.map(() => new RawText(Uint8Array.of(0xff))) },
      ];
      for (const range of ranges) {
        const plans = plansOf(() =>
          readStretch(changelog, table, range, { columns: table.columns, limit: 9 }),
        );
        expect(plans, plans)
          .to.match(plan)
          .and.match(/SEARCH c USING INDEX _sync_changes_row/);
        expect(plans).to.not.include('TEMP B-TREE');
        if (range.after !== null && name !== 'otherwise')
          expect(plans).to.match(/SEARCH w USING [^;]*(id|rowid|\(\w+,\w+\))>/);
        if (range.upto !== null && name !== 'otherwise')
          expect(plans).to.match(/SEARCH w USING [^;]*(id|rowid|\(\w+,\w+\))</);
      }
    });
  }

  function plansOf(work: () => void): string {
    const plans: string[] = [];
    const original = database.prepare.bind(database);
    database.prepare = (sql: Sql) => {
      if (sql.includes('LIMIT CAST(:limit')) {
        const names = [...sql.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, 1]);
        const rows = original(`EXPLAIN QUERY PLAN ${sql}`).all(Object.fromEntries(names)) as {
          detail: string;
        }[];
        plans.push(rows.map(({ detail }) => detail).join('; '));
      }
      return original(sql);
    };
    try {
      work();
    } finally {
      database.prepare = original;
    }
    return plans.join('\n');
  }
});
