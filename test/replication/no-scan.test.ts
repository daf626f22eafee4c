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

type Prepare = (this: Database, sql: string) => BetterSqlite3.Statement<unknown[]>;

/** Statements with the plans that SQLite has for them, while `work` runs, as they are prepared. */
async function plansOf(work: () => Promise<void>): Promise<Map<string, string[]>> {
  const plans = new Map<string, string[]>();
  const prototype = BetterSqlite3.prototype as unknown as Record<'prepare', Prepare>;
  const { prepare } = prototype;
  prototype.prepare = function (sql) {
    const names = [...sql.matchAll(/[:@$](\w+)/g)].map(([, name = '']) => [name, null] as const);
    const places = [...sql.matchAll(/\?/g)].map(() => null);
    const bound: readonly unknown[] = names.length > 0 ? [Object.fromEntries(names)] : places;
    const explained = prepare.call(this, `EXPLAIN QUERY PLAN ${sql}`).all(...bound) as { detail: string }[];
    plans.set(
      sql,
      explained.map(({ detail }) => detail),
    );
    return prepare.call(this, sql);
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

/** Statements that read something from end to end that grows with the rows. */
function scansIn(plans: ReadonlyMap<string, readonly string[]>): string[] {
  return [...plans].flatMap(([sql, details]) =>
    details
      .map((detail) => /^SCAN (CONSTANT ROW|\S+)/.exec(detail)?.[1])
      .filter((name) => name !== undefined && !isBounded(name))
      .map((name) => `SCAN ${name}: ${sql}`),
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

  for (const analyzed of [false, true]) {
    it(`reads no table and no changelog from end to end, statistics ${analyzed ? 'made' : 'missing'}`, async () => {
      await grow();
      if (analyzed) for (const replica of [pair.ann, pair.bob]) replica.execute('ANALYZE');
      // What is read once after a start, or after the schema changed, is read now.
      await sync(1);
      const plans = await plansOf(async () => {
        for (const replica of [pair.ann, pair.bob]) {
          await replica.close();
          await replica.fold();
        }
        await sync(2);
        for (const replica of [pair.ann, pair.bob]) await replica.prune();
      });
      await pair.converge('words', 'marks', 'visits');
      const texts = [...plans.keys()].join('\n');
      for (const part of [
        'INSERT INTO _sync_changes',
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
      expect([...plans.values()].flat().join('\n')).to.match(/SEARCH old USING INDEX _sync_changes_row/);
    });
  }

  it('would be seen: a statement that reads all entries is one', async () => {
    await grow();
    const plans = await plansOf(() => {
      pair.ann.app((database) => {
        database.prepare('SELECT c.id FROM _sync_changes AS c WHERE c.timestamp = 1').all();
        database.prepare(`SELECT w.id FROM words AS w WHERE w.english = ?`).all('word');
        database.prepare(`SELECT w.id FROM words AS w WHERE w.id = ?`).all('w1');
      });
      return Promise.resolve();
    });
    expect(scansIn(plans)).to.have.length(2);
  });
});
