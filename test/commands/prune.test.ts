import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { MemberReport } from '#src/replica/member-report.js';
import { execute, withDatabase } from '../replication/content.js';
import { ReplicaGroup, until, type Replica } from '../replication/group.js';
import { runMain } from '../cli/captured.js';

interface PruneOutcome {
  readonly dry_run: boolean;
  readonly pruned: number;
  readonly expired: number;
  readonly up_to: number;
  readonly head: number;
  readonly members: readonly MemberReport[];
}

const HOUR_MS = 3_600_000;

describe('prune and peers', function () {
  this.timeout(120_000);
  let group: ReplicaGroup;
  let ann: Replica;
  let bob: Replica;
  let cid: Replica;

  beforeEach(async () => {
    group = await ReplicaGroup.create({
      tables: [{ name: 'words', timestamp_column: 'updated_at', soft_delete_column: 'deleted_at' }],
      peers: { ann: ['bob'], bob: ['ann', 'cid'], cid: ['bob'] },
      settings: { retention: { soft_deleted: '1h' } },
    });
    [ann, bob, cid] = group.replicas as [Replica, Replica, Replica];
    for (const replica of group.replicas) {
      replica.create(
        'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER, deleted_at INTEGER)',
      );
    }
    await Promise.all(group.replicas.map((replica) => replica.join()));
    await Promise.all(group.replicas.map((replica) => replica.start()));
    const now = Date.now();
    execute(
      ann.database,
      `INSERT INTO words VALUES ('gone', 'x', ${now}, NULL), ('stays', 'y', ${now}, NULL)`,
    );
    await group.settle();
    execute(ann.database, `DELETE FROM words WHERE id = 'gone'`);
  });
  afterEach(() => group?.remove());

  async function run<T = PruneOutcome>(replica: Replica, ...args: string[]): Promise<T> {
    return JSON.parse(await replica.cli(...args, '--json')) as T;
  }

  function tombstones(replica: Replica): unknown {
    return withDatabase(replica.database, (database) =>
      database
        .prepare('SELECT count(*) FROM _sync_changes WHERE origin IS NOT NULL AND fingerprint IS NULL')
        .pluck()
        .get(),
    );
  }

  it('wait in a chain for who is known only through others, and then drop the tombstone', async () => {
    await bob.pull('ann');
    await ann.pull('bob');
    const early = await run(ann, 'prune');
    expect(early.pruned).to.equal(0);
    expect(early.members.map(({ node, via }) => [node, via])).to.deep.equal([
      ['bob', 'direct'],
      ['cid', 'others'],
    ]);
    expect(tombstones(ann)).to.equal(1);

    await cid.pull('bob');
    await bob.pull('cid');
    await ann.pull('bob');
    expect(await run(ann, 'prune', '--dry-run')).to.include({ dry_run: true, pruned: 1 });
    expect(tombstones(ann)).to.equal(1);
    expect((await run(ann, 'prune')).pruned).to.equal(1);
    expect(tombstones(ann)).to.equal(0);
    await group.settle();
    await group.expectQuiet();
    expect((await ann.status()).members.map(({ node }) => node)).to.deep.equal(['bob', 'cid']);
  });

  it('say whom they wait for, and no longer wait for who is forgotten', async () => {
    await cid.stop();
    await bob.pull('ann');
    await ann.pull('bob');
    expect((await run(ann, 'prune')).pruned).to.equal(0);
    const text = await ann.cli('peers');
    expect(text).to.include('cid').and.include('others');
    for (const line of text.split('\n').slice(0, -1)) expect(line.length, line).to.be.at.most(80);

    // The clock of its last word must have passed.
    await pause(5);
    await ann.cli('peers', 'forget', 'cid');
    expect((await run(ann, 'prune')).pruned).to.equal(1);
    const { members } = await run<{ members: MemberReport[] }>(ann, 'peers', 'list');
    expect(members.find(({ node }) => node === 'cid')).to.include({ forgotten: true });
    await bob.pull('ann');
    expect((await run(bob, 'prune')).pruned).to.equal(1);

    await cid.start();
    await group.settle();
    const heard = async () => (await ann.status()).members.find(({ node }) => node === 'cid');
    await until(async () => {
      await group.settle();
      return (await heard())?.forgotten === false;
    }, 'cid is back');
    for (const replica of [ann, bob]) {
      withDatabase(replica.database, (database) => {
        expect(database.prepare('SELECT id FROM words').pluck().all()).to.deep.equal(['stays']);
      });
    }
  });

  it('make ordinary deletes of rows that were soft-deleted long ago', async () => {
    const old = Date.now() - 2 * HOUR_MS;
    const now = Date.now();
    execute(
      ann.database,
      `INSERT INTO words VALUES ('old', 'x', ${old}, ${old}), ('new', 'x', ${now}, ${now}), ('alive', 'x', ${old}, NULL)`,
    );
    await group.settle();
    expect(await run(bob, 'prune', '--dry-run')).to.include({ expired: 1 });
    expect(await run(bob, 'prune')).to.include({ expired: 1 });
    await group.settle();
    for (const replica of group.replicas) {
      withDatabase(replica.database, (database) => {
        const ids = database.prepare('SELECT id FROM words ORDER BY id').pluck().all();
        expect(ids, replica.name).to.deep.equal(['alive', 'new', 'stays']);
      });
    }
  });

  it('answer wrong usage with 2', async () => {
    for (const args of [
      ['peers', 'forget'],
      ['peers', 'forget', 'nobody'],
      ['peers', 'forget', 'ann'],
      ['peers', 'accept', 'cid'],
      ['peers', 'list', 'cid'],
    ]) {
      const { status, stderr } = await runMain([...args, '--config', ann.configFile]);
      expect(status, `${args.join(' ')}: ${stderr}`).to.equal(2);
    }
  });
});
