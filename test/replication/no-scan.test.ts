import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';
import { Pair } from '../torture/replicas.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER, deleted_at INTEGER);
  CREATE TABLE marks ("user id" TEXT, word TEXT, mark, PRIMARY KEY ("user id", word)) WITHOUT ROWID;
  CREATE TABLE visits (id INTEGER PRIMARY KEY, at TEXT COLLATE NOCASE)`;
const TABLES = [
  { name: 'words', timestamp_column: 'updated_at', soft_delete_column: 'deleted_at' },
  { name: 'marks' },
  { name: 'visits', allow_integer_key: true },
];

/**
 * What may be read from end to end, under the names that statements give it: the schema, tables that do not grow with the
 * rows, what a statement is given, and what a subquery has found of the batch or the page that it is about.
 */
const BOUNDED = new Set([
  'CONSTANT ROW',
  '_sync_replica',
  'r',
  '_sync_guard',
  '_sync_origins',
  'author',
  '_sync_marks',
  '_sync_members',
  '_sync_peers',
  'p',
  '_sync_backfill',
  '_sync_counts',
  '_sync_pruned',
  '_sync_served',
  '_sync_quarantine',
  '_sync_conflicts',
  'original',
  '_sync_migrations',
  '_sync_known_keys',
  '_sync_guarded_triggers',
  'sqlite_schema',
  'sqlite_sequence',
  'list',
  'json_each',
  'stored',
  'info',
  'raw',
  'unfolded',
]);

/** What makes SQLite plan otherwise. */
const STATISTICS = {
  missing: '',
  made: 'ANALYZE',
  'of a hundred times as many rows': `
    ANALYZE;
    DELETE FROM sqlite_stat4;
    UPDATE sqlite_stat1
    SET stat = CAST(stat AS INTEGER) * 100 || substr(stat, length(CAST(stat AS INTEGER)) + 1)`,
};

type Prepare = (this: Database, sql: string) => BetterSqlite3.Statement<unknown[]>;

/** Statements with the plans that SQLite has for them while `work` runs, with the values that they are run with. */
async function plansOf(work: () => Promise<void>): Promise<Map<string, Set<string>>> {
  const plans = new Map<string, Set<string>>();
  const prototype = BetterSqlite3.prototype as unknown as Record<'prepare', Prepare>;
  const { prepare } = prototype;
  prototype.prepare = function (sql) {
    const prepared = prepare.call(this, sql);
    const explain = prepare.call(this, `EXPLAIN QUERY PLAN ${sql}`);
    const details = plans.get(sql) ?? new Set<string>();
    plans.set(sql, details);
    for (const method of ['run', 'get', 'all'] as const) {
      const original = prepared[method].bind(prepared) as (...values: unknown[]) => never;
      prepared[method] = (...values: unknown[]) => {
        for (const { detail } of explain.all(...values) as { detail: string }[]) details.add(detail);
        return original(...values);
      };
    }
    return prepared;
  };
  try {
    await work();
  } finally {
    prototype.prepare = prepare;
  }
  return plans;
}

function isBounded(name: string): boolean {
  return BOUNDED.has(name) || name.startsWith('(subquery-') || name.startsWith('pragma_');
}

/** A table or index read from end to end, or from its beginning up to a place in it. */
const SCAN = /^(?:SCAN (CONSTANT ROW|\S+)|SEARCH (\S+) USING .*\((?:rowid|\w+)<\?\)$)/;

/** Statements that read something so that grows with the rows. */
function scansIn(plans: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return [...plans].flatMap(([sql, details]) =>
    [...details]
      .filter((detail) => {
        const [found, scanned, searched] = SCAN.exec(detail) ?? [];
        return found !== undefined && !isBounded(scanned ?? searched ?? '');
      })
      .map((detail) => `${detail}: ${sql}`),
  );
}

describe('What runs for each sync', () => {
  let pair: Pair;
  afterEach(() => pair.close());

  async function grow(): Promise<void> {
    pair = await Pair.create({ schema: SCHEMA, tables: TABLES });
    pair.ann.execute(`
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
      INSERT INTO words SELECT 'w' || i, 'word', i, NULL FROM n;
      INSERT INTO marks SELECT 'u' || updated_at % 7, id, 1 FROM words;
      INSERT INTO visits SELECT updated_at, id FROM words`);
    await pair.converge('words', 'marks', 'visits');
  }

  async function restart(): Promise<void> {
    for (const replica of [pair.ann, pair.bob]) {
      await replica.close();
      await replica.fold();
    }
  }

  /** Edits and new rows on one side, while no conflict is open: they are folded in few statements. */
  async function change(round: number): Promise<void> {
    const now = Date.now();
    pair.ann.execute(`
      UPDATE words SET english = 'changed ${round}', updated_at = ${now} WHERE id LIKE 'w3__';
      INSERT INTO words SELECT 'later ${round} ' || id, 'new', ${now}, NULL FROM words WHERE updated_at < 9`);
    await pair.settle();
  }

  /** Edits, soft and hard deletes and new rows on both sides, a conflict among them. */
  async function sync(round: number): Promise<void> {
    const now = Date.now();
    for (const replica of [pair.ann, pair.bob]) {
      const from = replica === pair.ann ? 0 : 50;
      replica.execute(`
        UPDATE words SET english = '${replica.name} ${round}', updated_at = ${now} WHERE id IN ('w1', 'w${from + 2}');
        UPDATE words SET deleted_at = ${now}, updated_at = ${now} WHERE id = 'w${from + 10 + round}';
        DELETE FROM words WHERE id = 'w${from + 20 + round}';
        INSERT INTO words VALUES ('${replica.name} ${round}', 'new', ${now}, NULL);
        UPDATE marks SET mark = ${round} WHERE word = 'w${from + 3}';
        DELETE FROM marks WHERE word = 'w${from + 4 + round}';
        UPDATE visits SET id = ${1000 * (from + 1) + round} WHERE id = ${from + 5 + round}`);
    }
    await pair.settle();
  }

  for (const [statistics, make] of Object.entries(STATISTICS)) {
    it(`reads no table and no changelog from end to end, statistics ${statistics}`, async () => {
      await grow();
      for (const replica of [pair.ann, pair.bob]) replica.execute(make);
      // What is read once after a start, or after the schema changed, is read before.
      await change(1);
      const plans = await plansOf(async () => {
        await restart();
        await change(2);
      });
      await sync(1);
      const later = await plansOf(async () => {
        await restart();
        await sync(2);
        for (const replica of [pair.ann, pair.bob]) await replica.prune();
      });
      for (const [sql, details] of later) plans.set(sql, new Set([...details, ...(plans.get(sql) ?? [])]));
      await pair.converge('words', 'marks', 'visits');
      const texts = [...plans.keys()].join('\n');
      for (const part of [
        'INSERT INTO _sync_changes',
        'DELETE FROM _sync_changes WHERE id IN',
        'AS rawId',
        'AS behind',
        'AS newestMs',
        'acknowledged_ms = excluded',
        'INSERT INTO _sync_members',
        'UPDATE "words"',
        'AS tombstones',
      ])
        expect(texts).to.include(part);
      expect(scansIn(plans)).to.deep.equal([]);
      expect([...plans.values()].flatMap((details) => [...details]).join('\n')).to.match(
        /SEARCH old USING INDEX _sync_changes_row/,
      );
    });
  }

  it('would be seen: a statement that reads all entries is one', async () => {
    await grow();
    const plans = await plansOf(() => {
      pair.ann.app((database) => {
        database.prepare('SELECT c.id FROM _sync_changes AS c WHERE c.timestamp = 1').all();
        database.prepare(`SELECT w.id FROM words AS w WHERE w.english = ?`).all('word');
        database.prepare(`SELECT w.id FROM words AS w WHERE w.id = ?`).all('w1');
        database.prepare('SELECT c.id FROM _sync_changes AS c WHERE c.id <= ? AND c.timestamp = 1').all(9);
        database.prepare('SELECT c.id FROM _sync_changes AS c WHERE c.id > ? AND c.id <= ?').all(1, 9);
      });
      return Promise.resolve();
    });
    expect(scansIn(plans)).to.have.length(3);
  });
});
