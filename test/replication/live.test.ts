import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { countOf, execute, expectSameContent } from './content.js';
import { SqliteShell, startPython, withPrograms } from './foreign-programs.js';
import { ReplicaGroup, until, type Replica } from './group.js';

const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER);';
const KEYS = { words: ['id'] };
const STORM = 3_000;

withPrograms(['python3', 'sqlite3'], () => {
  describe('a live chain of three replicas whose interval is an hour', function () {
    this.timeout(90_000);
    let group: ReplicaGroup;
    let a: Replica;
    let b: Replica;
    let c: Replica;

    before(async () => {
      group = await ReplicaGroup.create({
        tables: [{ name: 'words', timestamp_column: 'updated_at' }],
        peers: { a: ['b'], b: ['a', 'c'], c: ['b'] },
        settings: { sync: { live: true }, network: { breaker_cooldown: '500ms' } },
      });
      [a, b, c] = group.replicas as [Replica, Replica, Replica];
      for (const replica of group.replicas) {
        replica.create(SCHEMA);
        await replica.join();
      }
      await Promise.all(group.replicas.map((replica) => replica.start()));
      await allLive();
    });
    after(() => group?.remove());

    async function allLive(): Promise<void> {
      for (const replica of group.replicas) {
        await until(
          async () => (await replica.status()).peers.every(({ pull }) => pull?.live === true),
          `questions of ${replica.name} at its peers`,
        );
      }
    }

    it('brings what any program commits from one end to the other', async () => {
      const shell = new SqliteShell(a.database);
      await shell.run(`INSERT INTO words VALUES ('by the shell', 'a', 1700000000000);`);
      await expectSoon(c, `id = 'by the shell'`);
      await shell.run(`DELETE FROM words WHERE id = 'by the shell';`);
      await until(() => countOf(c.database, 'words') === 0, 'the deletion');
      await shell.close();

      const python = startPython('storm_writer.py', c.database, '1', 'python');
      await python.line((line) => line === 'done', 'end');
      await expectSoon(a, `id = 'python-0'`);
    });

    it('takes a storm of commits in pages, and answers meanwhile', async () => {
      const from = b.daemon.lines.length;
      const writers = [a, c].map((replica) =>
        startPython('storm_writer.py', replica.database, String(STORM), replica.name),
      );
      let longestMs = 0;
      while (writers.some((writer) => writer.isRunning)) {
        const askedMs = performance.now();
        const answers = await Promise.all(group.replicas.map((replica) => replica.fetch('/health')));
        longestMs = Math.max(longestMs, performance.now() - askedMs);
        expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200]);
        // not oftener than a client may ask
        await pause(20);
      }
      for (const writer of writers) expect((await writer.ended).code, writer.transcript).to.equal(0);
      const endedMs = performance.now();
      const rows = 2 * STORM + 1;
      await until(
        () => group.files.every((file) => countOf(file, 'words') === rows),
        `${rows} words everywhere`,
      );
      const behindMs = performance.now() - endedMs;
      await group.settle();
      expect(expectSameContent(group.files, KEYS)).to.deep.equal({ words: rows });
      const pulls = b.log.slice(from).filter(({ message }) => message === 'pull finished');
      const pages = pulls.reduce((sum, line) => sum + Number(line.pages), 0);
      // a page each would be thousands; and a line each of so many pulls
      expect(pages, 'pages').to.be.lessThan(STORM / 4);
      expect(pulls.length, 'log lines').to.be.lessThan(100);
      console.log(
        `      longest answer ${longestMs.toFixed(0)} ms; ${pages} pages; everywhere ${behindMs.toFixed(0)} ms after the last commit`,
      );
    });

    it('says nothing more once all have everything', async () => {
      await group.expectQuiet();
      await allLive();
      expect(await c.cli('status')).to.include('live');
    });

    it('goes on when the middle was killed and comes back', async () => {
      await b.kill();
      await Promise.all([a.logged('peer is lost'), c.logged('peer is lost')]);
      expect((await a.status()).peers[0]?.pull).to.include({ lost: true, live: false });
      execute(a.database, "INSERT INTO words VALUES ('while b was down', 'a', 1700000000000)");
      await b.start();
      await until(() => countOf(c.database, 'words', "id = 'while b was down'") === 1, 'that row at c');
      await allLive();
      execute(a.database, "INSERT INTO words VALUES ('after that', 'a', 1700000000000)");
      await expectSoon(c, "id = 'after that'");
      expectSameContent(group.files, KEYS);
    });

    it('ends as soon as it is told to, while questions are held', async () => {
      await Promise.all(group.replicas.map((replica) => replica.stop()));
    });
  });
});

function expectSoon({ database, name }: Replica, row: string): Promise<void> {
  return until(() => countOf(database, 'words', row) === 1, `${row} at ${name}`);
}
