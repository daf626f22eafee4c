import { existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { countOf, execute, expectSameContent, queryRow } from './content.js';
import { startPython, withPrograms } from './foreign-programs.js';
import { ReplicaGroup, until, type Replica, type Settings } from './group.js';

const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER);';
const KEYS = { words: ['id'] };
const MANY = 20_000;
/** What the contract allows from the signal to the end. */
const MAX_STOP_MS = 5_000;
const LOCKED_MS = 10_000;

describe('a daemon', function () {
  this.timeout(60_000);
  let group: ReplicaGroup;
  let desktop: Replica;
  let laptop: Replica;

  afterEach(() => group?.remove());

  describe('that applies many rows', () => {
    beforeEach(async () => {
      await createPair({ sync: { interval: '1h', page_size: 200 } });
      addWords(desktop, MANY);
      await joinBoth();
      await desktop.start();
      await laptop.start();
    });

    it('ends well within 5 s of SIGTERM, empties the WAL, and goes on where it was after the next start', async () => {
      await until(() => countOf(laptop.database, 'words') > 1_000, 'some words on the laptop');
      const startedMs = performance.now();
      await laptop.stop();
      expect(performance.now() - startedMs).to.be.lessThan(MAX_STOP_MS);
      expect(laptop.log.at(-1)?.message).to.equal('stopped');
      const wal = `${laptop.database}-wal`;
      expect(existsSync(wal) ? statSync(wal).size : 0).to.equal(0);
      const before = countOf(laptop.database, 'words');
      expect(before).to.be.within(1_000, MANY - 1);

      await laptop.start();
      const pulled = await laptop.logged('pull finished');
      expect(pulled.applied).to.equal(MANY - before);
      expectSameContent(group.files, KEYS);
    });

    it('loses and repeats nothing when it is killed, again and again', async () => {
      for (const words of [2_000, 6_000, 12_000]) {
        await until(() => countOf(laptop.database, 'words') > words, `${words} words on the laptop`);
        expect((await laptop.kill())?.signal).to.equal('SIGKILL');
        expect(countOf(laptop.database, 'words')).to.be.lessThan(MANY);
        await laptop.start();
      }
      // the other side may go as well
      await desktop.kill();
      await desktop.start();
      await laptop.pull('desktop');
      expect(expectSameContent(group.files, KEYS)).to.deep.equal({ words: MANY });
      expect(queryRow(laptop.database, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
      const entries = 'SELECT count(*), count(DISTINCT record_id), count(origin) FROM _sync_changes';
      expect(queryRow(laptop.database, entries)).to.deep.equal([MANY, MANY, MANY]);
      await group.expectQuiet();
    });
  });

  withPrograms(['python3'], () => {
    it('answers while an application holds the write lock for 10 s, and serves what is folded', async () => {
      await createPair({ database: { busy_timeout: '15s' } });
      addWords(desktop, 500);
      await joinBoth();
      await Promise.all([desktop.start(), laptop.start()]);
      await group.settle();
      execute(laptop.database, "INSERT INTO words VALUES ('from the laptop', 'new', 1)");

      const app = startPython('lock_holder.py', desktop.database);
      await app.line((line) => line === 'locked', 'lock');
      const lockedMs = performance.now();
      const pulling = desktop.pull('laptop');
      let longestMs = 0;
      while (performance.now() - lockedMs < LOCKED_MS) {
        const askedMs = performance.now();
        const [health, page] = await Promise.all([desktop.fetch('/health'), pageOf(desktop)]);
        longestMs = Math.max(longestMs, performance.now() - askedMs);
        expect(health.status).to.equal(200);
        expect(page).to.have.length.at.least(500).and.to.include('w1').and.not.to.include('held');
      }
      expect(longestMs, 'longest answer').to.be.lessThan(1_500);
      expect(countOf(desktop.database, 'words', "id = 'from the laptop'")).to.equal(0);

      app.closeInput();
      expect((await app.ended).code, app.transcript).to.equal(0);
      await pulling;
      await group.settle();
      expect(expectSameContent(group.files, KEYS)).to.deep.equal({ words: 503 });
    });
  });

  it('says once that a peer is lost and once that it is back, however often it tries, and catches up', async () => {
    await createPair({ sync: { interval: '100ms' }, network: { reconnect_interval: '100ms' } });
    await joinBoth();
    await desktop.start();
    await laptop.start();
    await laptop.logged('pull finished');
    await desktop.stop();
    const lost = await laptop.logged('peer is lost');
    expect(lost).to.include({ level: 'warn', peer: 'desktop' });
    await refuseConnections(desktop, 5);
    addWords(desktop, 3);
    await desktop.start();
    await laptop.logged('peer is back');
    await laptop.logged('pull finished', ({ applied }) => applied === 3);
    const told = laptop.log.filter(({ message }) => message.startsWith('peer is'));
    expect(told.map(({ message }) => message)).to.deep.equal(['peer is lost', 'peer is back']);
    expect(laptop.log.filter(({ level }) => level === 'error')).to.deep.equal([]);
  });

  async function createPair(settings: Settings = {}): Promise<void> {
    const tables = [{ name: 'words', timestamp_column: 'updated_at' }];
    const peers = { desktop: ['laptop'], laptop: ['desktop'] };
    group = await ReplicaGroup.create({ tables, peers, settings });
    [desktop, laptop] = group.replicas as [Replica, Replica];
    for (const replica of group.replicas) replica.create(SCHEMA);
  }

  async function joinBoth(): Promise<void> {
    await Promise.all(group.replicas.map((replica) => replica.join()));
  }
});

function addWords({ database }: Replica, count: number): void {
  execute(
    database,
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     INSERT INTO words SELECT 'w' || i, 'word ' || i, 1700000000000 + i FROM n`,
  );
}

/** The keys of a page from the start, as a replica that has nothing yet gets it. */
async function pageOf(replica: Replica): Promise<string[]> {
  const answer = await replica.fetch('/sync/changes?since=&limit=10000');
  expect(answer.status).to.equal(200);
  const { changes } = (await answer.json()) as { changes: { key: [string] }[] };
  return changes.map(({ key }) => key[0]);
}

/** Listens in place of a replica until so many connections were cut. */
async function refuseConnections({ address }: Replica, count: number): Promise<void> {
  const { hostname, port } = new URL(address);
  await new Promise<void>((resolve, reject) => {
    let refused = 0;
    const server = createServer((socket) => {
      socket.destroy();
      refused += 1;
      if (refused === count) server.close(() => resolve());
    });
    server.on('error', reject);
    server.listen(Number(port), hostname);
  });
}
