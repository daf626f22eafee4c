import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { printedSeed, randomNumbers } from '../random.js';
import { countOf, expectSameContent, queryRow } from '../replication/content.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { ReplicaGroup, type LogLine, type Replica } from '../replication/group.js';
import { BadProxy, FAULTS } from '../stand-ins/bad-proxy.js';
import { peakMemoryMiB } from './peak-memory.js';
import { Values } from './values.js';
import { Writers, type Acknowledged, type Write } from './writers.js';

const WRITING_MS = process.env.SOAK === undefined ? 20_000 : 60_000;
/** Between two writes at one replica, at most. */
const MAX_PAUSE_MS = 20;
const KEYS = 300;
/** On a busy machine there are some 60, else more than 100. */
const MIN_FAULTS = 20;
/** Of one daemon, at its peak. It needs some 150 for itself. */
const MAX_MEMORY_MIB = 400;

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER, deleted_at INTEGER);
  CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT);
`;
const TABLES = [
  { name: 'words', timestamp_column: 'updated_at', soft_delete_column: 'deleted_at' },
  { name: 'notes' },
];
const SETTINGS = {
  sync: { interval: '200ms', page_size: 50 },
  network: {
    connect_timeout: '1s',
    request_timeout: '1s',
    reconnect_interval: '200ms',
    max_retries: 2,
    retry_backoff: '50ms',
    breaker_cooldown: '500ms',
  },
};

/** A write that an application was told to be committed. */
interface Committed extends Acknowledged {
  readonly value: string | null;
}

withPrograms(['python3'], () => {
  describe('three replicas that reach each other only over a bad network', function () {
    this.timeout(WRITING_MS + 120_000);
    const proxies: BadProxy[] = [];
    let writers: Writers[] = [];
    let group: ReplicaGroup;
    let random: () => number;
    let numbered = 0;

    before(async () => {
      random = randomNumbers(printedSeed(1));
      group = await ReplicaGroup.create({
        tables: TABLES,
        peers: { ann: ['bob', 'cid'], bob: ['ann', 'cid'], cid: ['ann', 'bob'] },
        settings: SETTINGS,
        route: async (_from, _to, port) => {
          const proxy = await BadProxy.listen({ port, seed: Math.floor(random() * 2 ** 31), rate: 0.2 });
          proxies.push(proxy);
          return proxy.port;
        },
      });
      for (const replica of group.replicas) replica.create(SCHEMA);
      await Promise.all(group.replicas.map((replica) => replica.join()));
      writers = group.replicas.map(() => new Writers());
      for (const proxy of proxies) proxy.faults = FAULTS;
      await Promise.all(group.replicas.map((replica) => replica.start()));
    });

    after(async () => {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await group?.remove();
      await Promise.all(writers.map((writer) => writer.close()));
    });

    it('converge once it is well again, lose nothing that was committed, and stay small', async () => {
      const endMs = performance.now() + WRITING_MS;
      const committed = (
        await Promise.all(group.replicas.map((replica, index) => writeUntil(endMs, replica, writers[index])))
      ).flat();
      const carried = group.replicas.map(({ database }) => countOf(database, '_sync_origins'));
      const pulls = group.replicas.map(({ log }) => log.filter(hasBrought).length);
      for (const proxy of proxies) proxy.heal();

      await group.settle();
      const rows = expectSameContent(group.files, { words: ['id'], notes: ['id'] });
      await group.expectQuiet();
      expect(booksOf(committed).missing(group.files), 'values that are lost').to.deep.equal([]);
      for (const replica of group.replicas) {
        expect(queryRow(replica.database, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
        expect((await replica.status()).quarantined).to.equal(0);
      }
      expectExplained();
      const memory = group.replicas.map(({ daemon }) => peakMemoryMiB(daemon.pid));
      console.log(`      ${committed.length} writes, ${JSON.stringify(rows)} rows`);
      console.log(`      pulls that brought something meanwhile, by replica: ${pulls.join(', ')}`);
      console.log(
        `      faults ${JSON.stringify(faultCounts())}, peak memory of the daemons ${memory.join(', ')} MiB`,
      );
      const faults = Object.values(faultCounts()).reduce((sum, count) => sum + count, 0);
      expect(faults).to.be.above(MIN_FAULTS);
      expect(carried, 'instances that each had heard of while the network was bad').to.deep.equal([3, 3, 3]);
      expect(Math.max(...memory.map((one) => one ?? 0))).to.be.below(MAX_MEMORY_MIB);
    });

    async function writeUntil(endMs: number, { database }: Replica, writer?: Writers): Promise<Committed[]> {
      const committed: Committed[] = [];
      while (performance.now() < endMs) {
        const write = nextWrite();
        const done = await writer?.write(database, write, 'python');
        if (done?.changed === true) committed.push({ ...done, value: write.value });
        await pause(random() * MAX_PAUSE_MS);
      }
      return committed;
    }

    function nextWrite(): Write {
      const table = random() < 0.7 ? 'words' : 'notes';
      const draw = random();
      const kind = draw < 0.1 ? 'delete' : draw < 0.2 && table === 'words' ? 'soft delete' : 'put';
      numbered += 1;
      const value = kind === 'delete' ? null : `v${String(numbered).padStart(6, '0')}`;
      return { table, kind, key: `k${Math.floor(random() * KEYS)}`, value, nowMs: Date.now() };
    }

    /** Every failed pull has said why, in words of ours, and nothing else went wrong. */
    function expectExplained(): void {
      const lines = group.replicas.flatMap(({ log }) => log);
      const failed = lines.filter(({ message }) => message === 'pull failed');
      expect(failed.filter(({ errorCode }) => errorCode === undefined)).to.deep.equal([]);
      expect(lines.filter(({ level }) => level === 'error')).to.deep.equal([]);
    }

    function faultCounts(): Record<string, number> {
      const counts: Record<string, number> = {};
      for (const proxy of proxies) {
        for (const [fault, count] of proxy.counts) counts[fault] = (counts[fault] ?? 0) + count;
      }
      return counts;
    }
  });
});

function hasBrought({ message, applied }: LogLine): boolean {
  return message === 'pull finished' && Number(applied) > 0;
}

/** What replaced which: only when all are known, since a write may be told later than what replaced it elsewhere. */
function booksOf(committed: readonly Committed[]): Values {
  const values = new Values();
  for (const { value } of committed) values.acknowledged(value, null);
  for (const { value, replaced } of committed) values.acknowledged(value, replaced);
  return values;
}
