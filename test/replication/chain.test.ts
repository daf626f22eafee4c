import { copyFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { contentOf, countOf, execute, expectSameContent, withDatabase, type Keys } from './content.js';
import { SqliteShell, startPython, withPrograms } from './foreign-programs.js';
import { ReplicaGroup, type Replica } from './group.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT NOT NULL, updated_at INTEGER, deleted_at INTEGER);
  CREATE TABLE progress (
    user_id TEXT NOT NULL, word_id TEXT NOT NULL, score, is_deleted INTEGER NOT NULL DEFAULT 0, modified_at TEXT,
    PRIMARY KEY (user_id, word_id)
  );
  CREATE TABLE media (id TEXT PRIMARY KEY, payload BLOB, note);
  CREATE TABLE settings (name TEXT PRIMARY KEY, value);
`;

const TABLES = [
  { name: 'words', timestamp_column: 'updated_at', soft_delete_column: 'deleted_at' },
  { name: 'progress', timestamp_column: 'modified_at', soft_delete_column: 'is_deleted' },
  { name: 'media' },
];

const KEYS: Keys = { words: ['id'], progress: ['user_id', 'word_id'], media: ['id'] };

/** 3,400 + 3,300 + 3,300 rows from before the replication. */
const LEGACY_ROWS = `
  WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 3399)
  INSERT INTO words SELECT printf('w%05d', i), 'legacy ' || i, 1700000000000 + i, NULL FROM n;
  WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 3299)
  INSERT INTO progress SELECT 'u' || (i % 40), printf('w%05d', i), i / 8.0, 0, '2024-01-01T00:00:00.000Z' FROM n;
  WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 3299)
  INSERT INTO media SELECT printf('m%05d', i), randomblob(i % 100), i FROM n;
`;

/** Of each writer: by Python in transactions, by the command line in statements. Either takes 12 s or more. */
const WRITES = 600;
const DOWN_FROM_MS = 6_000;
const DOWN_FOR_MS = 5_000;

withPrograms(['python3', 'sqlite3'], () => {
  describe('a chain of three replicas, written to by Python and the sqlite3 command line', function () {
    this.timeout(120_000);
    let group: ReplicaGroup;

    before(async () => {
      group = await ReplicaGroup.create({
        tables: TABLES,
        peers: { a: ['b'], b: ['a', 'c'], c: ['b'] },
        settings: { sync: { interval: '500ms' }, network: { breaker_cooldown: '500ms' } },
      });
      const [a, b, c] = group.replicas as [Replica, Replica, Replica];
      a.create(SCHEMA + LEGACY_ROWS);
      copyFileSync(a.database, b.database);
      c.create(SCHEMA);
      for (const replica of group.replicas) {
        execute(
          replica.database,
          `INSERT INTO settings VALUES ('theme', '${replica.name}'), ('volume', 0.5)`,
        );
      }
      await Promise.all(group.replicas.map((replica) => replica.join()));
      await Promise.all(group.replicas.map((replica) => replica.start()));
    });

    after(() => group?.remove());

    it('ends with the same rows and types on all, settings of each left alone, and nothing more to say', async () => {
      const settings = group.files.map(settingsOf);
      await Promise.all([
        ...group.replicas.flatMap((replica, seed) => [python(replica, seed), shell(replica, seed)]),
        cut(),
      ]);

      await group.settle();
      const counts = expectSameContent(group.files, KEYS);
      for (const { name } of group.replicas) {
        for (const writer of ['word', 'shell']) {
          const found = countOf(group.replica('c').database, 'words', `id LIKE '${name}-${writer}-%'`);
          expect(found, `words of the ${writer} writer on ${name}`).to.be.greaterThan(100);
        }
      }
      expect(group.files.map(settingsOf)).to.deep.equal(settings);
      for (const replica of group.replicas) expect((await replica.status()).quarantined).to.equal(0);
      await group.expectQuiet();
      console.log(`      ${JSON.stringify(counts)} rows, heads ${JSON.stringify(group.heads())}`);
    });

    /** The middle of the chain loses its power while everyone writes. */
    async function cut(): Promise<void> {
      await pause(DOWN_FROM_MS);
      await group.replica('b').kill();
      await pause(DOWN_FOR_MS);
      await group.replica('b').start();
    }
  });
});

async function python(replica: Replica, seed: number): Promise<void> {
  const writer = startPython('chain_writer.py', replica.database, String(WRITES), String(seed), replica.name);
  const { code } = await writer.ended;
  expect(code, writer.transcript).to.equal(0);
}

/** Changes some of everything, by the sqlite3 command line; a statement that fails rejects. */
async function shell({ database, name }: Replica, seed: number): Promise<void> {
  const sqlite = new SqliteShell(database);
  for (let i = 0; i < WRITES; i += 1) {
    const row = (i * 37 + seed * 11) % 3_300;
    await sqlite.run(statementsOf(i, row, name)[i % 5] ?? '');
    await pause(20);
  }
  await sqlite.close();
}

function statementsOf(i: number, row: number, name: string): readonly string[] {
  const word = `w${String(row).padStart(5, '0')}`;
  const nowMs = `CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`;
  const nowIso = `strftime('%Y-%m-%dT%H:%M:%fZ', 'now')`;
  return [
    `INSERT INTO words VALUES ('${name}-shell-${i}', 'by hand', ${nowMs}, NULL);`,
    `UPDATE words SET english = 'by hand at ${name}', updated_at = ${nowMs} WHERE id = '${word}';`,
    `UPDATE progress SET score = ${i}, modified_at = ${nowIso} WHERE user_id = 'u${row % 40}' AND word_id = '${word}';`,
    `UPDATE media SET payload = randomblob(50), note = ${i} / 2.0 WHERE id BETWEEN 'm00010' AND 'm00019';`,
    `DELETE FROM media WHERE id = 'm${String(row).padStart(5, '0')}';`,
  ];
}

function settingsOf(file: string): [string, string][] {
  return withDatabase(file, (database) => [...contentOf(database, 'settings', ['name'])]);
}
