import { existsSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { runCli, runCliWell } from '../replication/command-line.js';
import { countOf, execute, expectSameContent, queryRow, type Keys } from '../replication/content.js';
import { startPython, withPrograms } from '../replication/foreign-programs.js';
import { ReplicaGroup, type Replica } from '../replication/group.js';
import { scratchFolder } from '../scratch.js';

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
const LEGACY_ROWS = `
  WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2999)
  INSERT INTO words SELECT printf('w%05d', i), 'legacy ' || i, 1700000000000 + i, NULL FROM n;
  WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199)
  INSERT INTO media SELECT printf('m%05d', i), randomblob(i), i FROM n;
`;
/** Transactions of each writer in Python. */
const WRITES = 60;

interface ExportReport {
  readonly changes: number;
  readonly next_cursor: string;
}

interface ImportReport {
  readonly known: boolean;
  readonly applied: number;
  readonly conflicts: number;
  readonly quarantined: number;
}

withPrograms(['python3'], () => {
  describe('machines that no network joins', function () {
    this.timeout(180_000);
    let group: ReplicaGroup;
    let folder: string;
    let [a, b, c] = [] as unknown as [Replica, Replica, Replica];
    let written = 0;

    beforeEach(async () => {
      folder = scratchFolder();
      group = await ReplicaGroup.create({ tables: TABLES, peers: { a: ['b'], b: ['a'], c: [] } });
      [a, b, c] = group.replicas as [Replica, Replica, Replica];
      for (const replica of group.replicas) replica.create(SCHEMA);
    });

    afterEach(() => group.remove());

    async function stickOf(replica: Replica, since = ''): Promise<ExportReport & { readonly path: string }> {
      written += 1;
      const path = join(folder, `${replica.name}-${written}.sync`);
      const options = since === '' ? [] : ['--since', since];
      const report = await replica.run('export', '--out', path, '--json', ...options);
      return { ...(JSON.parse(report) as ExportReport), path };
    }

    async function load(replica: Replica, { path }: { readonly path: string }): Promise<ImportReport> {
      return JSON.parse(await replica.run('import', path, '--json')) as ImportReport;
    }

    async function refusal(replica: Replica, path: string): Promise<{ code: string; hint: string }> {
      const args = ['import', path, '--json', '--config', replica.configFile];
      const { code, stdout } = await runCli(args);
      expect(code, stdout).to.equal(1);
      return (JSON.parse(stdout) as { error: { code: string; hint: string } }).error;
    }

    async function write(replica: Replica, seed: number): Promise<void> {
      const args = [replica.database, String(WRITES), String(seed), replica.name];
      const writer = startPython('chain_writer.py', ...args);
      const { code } = await writer.ended;
      expect(code, writer.transcript).to.equal(0);
    }

    async function joinAll(): Promise<void> {
      for (const replica of group.replicas) await replica.join();
    }

    it('converge by sticks in both directions, a third through one of them, with daemons and without', async () => {
      execute(a.database, LEGACY_ROWS);
      await joinAll();
      const first = await stickOf(a);
      expect((await load(b, first)).applied).to.equal(3200);
      await a.start();
      let [fromA, fromB] = [first.next_cursor, ''];
      for (let round = 0; round < 2; round += 1) {
        await Promise.all([write(a, round), write(b, 10 + round), write(c, 20 + round)]);
        // Of one row on both sides, neither of which knows the other.
        for (const [replica, ms] of [
          [a, 1],
          [b, 2],
        ] as const) {
          const set = `english = '${replica.name} ${round}', updated_at = ${Date.now() + ms}`;
          execute(replica.database, `UPDATE words SET ${set} WHERE id = 'w00001'`);
        }
        const down = await stickOf(a, fromA);
        const up = await stickOf(b, fromB);
        await load(b, down);
        expect((await load(a, up)).conflicts).to.be.greaterThan(0);
        [fromA, fromB] = [down.next_cursor, up.next_cursor];
        await load(b, await stickOf(c));
      }
      await load(a, await stickOf(b, fromB));
      await load(b, await stickOf(a, fromA));
      await load(c, await stickOf(b));
      const last = await stickOf(a, fromA);
      await load(b, last);
      const counts = expectSameContent(group.files, KEYS);
      expect(Object.values(counts).every((rows) => rows > 0)).to.equal(true);
      const again = await load(b, last);
      expect(again).to.include({ applied: 0, conflicts: 0, quarantined: 0 });
    });

    it('skip nothing and apply nothing twice beside an ordinary pull, in whatever order', async () => {
      await joinAll();
      execute(a.database, "INSERT INTO words VALUES ('one', 'one', 1700000000000, NULL)");
      const first = await stickOf(a);
      execute(a.database, "INSERT INTO words VALUES ('two', 'two', 1700000000000, NULL)");
      const second = await stickOf(a, first.next_cursor);
      execute(a.database, "INSERT INTO words VALUES ('three', 'three', 1700000000000, NULL)");
      const third = await stickOf(a, second.next_cursor);

      const { code, hint } = await refusal(b, second.path);
      expect(code).to.equal('file_gap');
      expect(hint).to.contain('without --since');
      await load(b, first);
      const gap = await refusal(b, third.path);
      expect(gap.code).to.equal('file_gap');
      expect(gap.hint).to.contain(`--since ${first.next_cursor}`);
      expect(countOf(b.database, 'words')).to.equal(1);

      await a.start();
      await b.start();
      expect(await b.pull('a')).to.include({ applied: 2 });
      expect(await load(b, second)).to.include({ known: true });
      expect(await load(b, third)).to.include({ applied: 0, quarantined: 0 });
      execute(a.database, "DELETE FROM words WHERE id = 'one'");
      const fourth = await stickOf(a, third.next_cursor);
      expect(await load(b, fourth)).to.include({ applied: 1 });
      expect(await b.pull('a')).to.include({ applied: 0, skipped: 0 });
      expectSameContent([a.database, b.database], KEYS);
    });

    it('acknowledge nothing with what they import, and only with what they export', async () => {
      await joinAll();
      execute(a.database, "INSERT INTO words VALUES ('one', 'one', 1700000000000, NULL)");
      await load(b, await stickOf(a));
      await load(a, await stickOf(b));
      execute(a.database, "DELETE FROM words WHERE id = 'one'");
      const prune = async () => JSON.parse(await a.run('prune', '--json')) as { pruned: number };
      await load(b, await stickOf(a));
      expect((await prune()).pruned, 'before b has told').to.equal(0);
      await load(a, await stickOf(b));
      expect((await prune()).pruned, 'after b has told').to.equal(1);
    });

    it('refuse what is damaged, their own, or without a table of theirs, and say so with exit code 1', async () => {
      await joinAll();
      execute(a.database, "INSERT INTO words VALUES ('one', 'one', 1700000000000, NULL)");
      const { path } = await stickOf(a);
      expect((await refusal(a, path)).code).to.equal('file_is_own');
      expect((await refusal(b, join(folder, 'no such file'))).code).to.equal('file_unreadable');
      const text = readFileSync(b.configFile, 'utf8');
      execute(b.database, 'CREATE TABLE other (id TEXT PRIMARY KEY)');
      writeFileSync(b.configFile, text.replace(/^tables:[^]*?(?=^\w)/m, 'tables: [{name: other}]\n'));
      await b.run('migrate', '--no-backup');
      expect((await refusal(b, path)).code).to.equal('file_foreign');
      truncateSync(path, 200);
      expect((await refusal(b, path)).code).to.equal('file_damaged');
      expect(countOf(b.database, 'words')).to.equal(0);
    });

    it('refuse a part of the log of a machine that was restored, and compare all once it gives all', async () => {
      await joinAll();
      execute(a.database, "INSERT INTO words VALUES ('one', 'one', 1700000000000, NULL)");
      const before = await stickOf(a);
      await load(b, before);
      const epoch = queryRow(a.database, 'SELECT epoch FROM _sync_replica')[0];
      // The same content in another file, as a restored backup is.
      execute(a.database, `VACUUM INTO '${join(folder, 'backup.db')}'`);
      const restored = readFileSync(join(folder, 'backup.db'));
      for (const name of readdirSync(join(a.database, '..'))) {
        if (/^app\.db-(wal|shm)$/.test(name)) throw new Error(`${name} is still there`);
      }
      writeFileSync(`${a.database}.new`, restored);
      renameSync(`${a.database}.new`, a.database);
      execute(a.database, "INSERT INTO words VALUES ('two', 'two', 1700000000000, NULL)");
      const refused = await runCli([
        ...['export', '--out', join(folder, 'x.sync'), '--since', before.next_cursor],
        ...['--json', '--config', a.configFile],
      ]);
      expect(refused.stdout).to.contain('since_invalid');
      expect(existsSync(join(folder, 'x.sync'))).to.equal(false);
      const after = await stickOf(a);
      expect(queryRow(a.database, 'SELECT epoch FROM _sync_replica')[0]).not.to.equal(epoch);
      expect(await load(b, after)).to.include({ applied: 1, conflicts: 0, quarantined: 0 });
      expect((await refusal(b, before.path)).code).to.equal('file_outdated');
      expectSameContent([a.database, b.database], KEYS);
    });

    it('are told of wrong usage with exit code 2', async () => {
      await joinAll();
      const config = ['--config', a.configFile];
      expect((await runCli(['export', ...config])).code).to.equal(2);
      expect((await runCli(['import', ...config])).code).to.equal(2);
      const since = await runCli(['export', '--out', join(folder, 'y.sync'), '--since', 'x', ...config]);
      expect(since.code).to.equal(2);
      expect(readdirSync(folder)).to.deep.equal([]);
      expect(await runCliWell(['--help'])).to.match(/export[^]*import/);
    });
  });
});
