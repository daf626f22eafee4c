import { rmSync } from 'node:fs';
import { expect } from 'chai';
import { markFileOf } from '#src/changelog/mark-file.js';
import { add, backUp, restoreDisk } from './backups.js';
import { countOf, execute, queryRow } from './content.js';
import { ReplicaGroup, type Replica } from './group.js';

const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT)';

describe('a disk that was put back to an earlier state', function () {
  this.timeout(300_000);
  let group: ReplicaGroup;
  afterEach(() => group.remove());

  async function begin(peers: Readonly<Record<string, readonly string[]>>): Promise<Replica[]> {
    group = await ReplicaGroup.create({ tables: [{ name: 'words' }], peers });
    for (const replica of group.replicas) {
      replica.create(SCHEMA);
      await replica.join();
      await replica.start();
    }
    return [...group.replicas];
  }

  it('is noticed where the only peer is about to compare everything, and the log is longer than it was', async () => {
    const [desktop, laptop] = (await begin({ desktop: ['laptop'], laptop: ['desktop'] })) as [
      Replica,
      Replica,
    ];
    add(laptop, 'early', 3);
    await group.settle();
    const backup = backUp(laptop);
    add(laptop, 'pulled', 5);
    await desktop.pull('laptop');
    await desktop.stop();
    // As a table that is captured from now on does.
    execute(desktop.database, "UPDATE _sync_peers SET cursor = ''");
    await laptop.stop();
    restoreDisk(laptop, backup);
    add(laptop, 'afterwards', 20);
    await laptop.start();
    await desktop.start();
    await group.settle();
    for (const { database } of group.replicas) expect(countOf(database, 'words')).to.equal(3 + 5 + 20);
    await group.expectQuiet();
  });

  for (const first of ['desktop', 'laptop'] as const) {
    it(`is noticed where it is from before its replica became a new instance, and ${first} is the first to pull`, async () => {
      const [desktop, laptop] = (await begin({ desktop: ['laptop'], laptop: ['desktop'] })) as [
        Replica,
        Replica,
      ];
      add(laptop, 'early', 3);
      await group.settle();
      const backup = backUp(laptop);
      const { epoch } = await laptop.status();
      execute(laptop.database, "UPDATE words SET english = 'edited' WHERE id = 'early-0'");
      add(laptop, 'pulled', 5);
      await group.settle();
      // As a file that was moved.
      await laptop.stop();
      rmSync(markFileOf(laptop.database));
      await laptop.start();
      await group.settle();
      await laptop.stop();
      restoreDisk(laptop, backup);
      // What it remembers of the instances that asked would refuse this one for ten minutes.
      await desktop.stop();
      await desktop.start();
      await laptop.start();
      execute(laptop.database, "UPDATE words SET english = 'without knowing that' WHERE id = 'early-0'");
      await (first === 'desktop' ? desktop.pull('laptop') : laptop.pull('desktop'));
      await group.settle();
      expect((await laptop.status()).epoch).to.not.equal(epoch);
      for (const { database } of group.replicas) {
        expect(countOf(database, 'words')).to.equal(3 + 5);
        expect(queryRow(database, "SELECT english FROM words WHERE id = 'early-0'")).to.deep.equal([
          'without knowing that',
        ]);
      }
      const overruled = group.files.flatMap((file) =>
        queryRow(file, 'SELECT record_key FROM _sync_conflicts'),
      );
      expect(overruled).to.include('["early-0"]');
      await group.expectQuiet();
    });
  }

  for (const [written, log] of [
    [0, 'shorter than what they claim'],
    [20, 'longer than what they claim'],
  ] as const) {
    it(`is noticed by what others claim, where only a third replica has what was lost, and the log is ${log}`, async () => {
      const [desktop, server, laptop] = (await begin({
        desktop: ['laptop'],
        server: ['desktop'],
        laptop: ['server'],
      })) as [Replica, Replica, Replica];
      add(laptop, 'early', 3);
      await group.settle();
      const backup = backUp(laptop);
      add(laptop, 'pulled', 5);
      await desktop.pull('laptop');
      await server.pull('desktop');
      await desktop.stop();
      await laptop.stop();
      restoreDisk(laptop, backup);
      add(laptop, 'afterwards', written);
      await laptop.start();
      await laptop.pull('server');
      expect(countOf(laptop.database, 'words')).to.equal(3 + 5 + written);
      await desktop.start();
      await group.settle();
      for (const { database } of group.replicas) expect(countOf(database, 'words')).to.equal(3 + 5 + written);
      await group.expectQuiet();
    });
  }

  it('is no loss for the others while it stays away: each has in the end what any of them has', async () => {
    const [desktop, server, laptop] = (await begin({
      desktop: ['laptop', 'server'],
      server: ['laptop', 'desktop'],
      laptop: [],
    })) as [Replica, Replica, Replica];
    add(laptop, 'early', 3);
    await group.settle();
    const backup = backUp(laptop);
    add(laptop, 'pulled', 6);
    await desktop.pull('laptop');
    await desktop.stop();
    await laptop.stop();
    restoreDisk(laptop, backup);
    add(laptop, 'afterwards', 2);
    await laptop.start();
    await server.pull('laptop');
    await laptop.stop();
    await desktop.start();
    await desktop.pull('server');
    await server.pull('desktop');
    for (const { database } of [desktop, server]) expect(countOf(database, 'words')).to.equal(3 + 6 + 2);
  });
});
