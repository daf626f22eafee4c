import { expect } from 'chai';
import type { ConflictList } from '#src/apply/conflict-list.js';
import { scratchFile } from '../scratch.js';
import { runCli } from './command-line.js';
import { execute, expectSameContent, queryRow } from './content.js';
import { ReplicaGroup, until, type Replica } from './group.js';

const SCHEMA = `
  CREATE TABLE tallies (id TEXT PRIMARY KEY, count INTEGER, note TEXT);
  CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT);
  CREATE TABLE prices (id TEXT PRIMARY KEY, cents INTEGER);
  CREATE TABLE broken (id TEXT PRIMARY KEY, body TEXT);
`;
const KEYS = { tallies: ['id'], notes: ['id'], prices: ['id'], broken: ['id'] };

const TALLY = `export default (local, remote, { newer }) => {
  if (local === null || remote === null) return local ?? remote;
  const newest = newer === 'remote' ? remote : local;
  return { ...newest, count: Math.max(local.count, remote.count) };
};`;

describe('replicas with a strategy for each table', function () {
  this.timeout(120_000);
  let group: ReplicaGroup;
  let desktop: Replica;
  let laptop: Replica;
  let phone: Replica;

  before(async () => {
    group = await ReplicaGroup.create({
      tables: [
        { name: 'tallies', conflict_resolution: 'custom', resolver: scratchFile(TALLY, 'tally.mjs') },
        { name: 'notes', conflict_resolution: 'manual' },
        { name: 'prices' },
        {
          name: 'broken',
          conflict_resolution: 'custom',
          resolver: scratchFile('export default () => { throw new Error("out of order"); };', 'broken.mjs'),
        },
      ],
      peers: { desktop: ['laptop', 'phone'], laptop: ['desktop', 'phone'], phone: ['desktop', 'laptop'] },
      settings: { sync: { interval: '1h', conflict_resolution: 'source_wins', preferred_node: 'desktop' } },
    });
    [desktop, laptop, phone] = ['desktop', 'laptop', 'phone'].map((name) => group.replica(name)) as [
      Replica,
      Replica,
      Replica,
    ];
    for (const replica of group.replicas) {
      replica.create(SCHEMA);
      await replica.join();
    }
    execute(desktop.database, `INSERT INTO tallies VALUES ('t', 1, 'start')`);
    execute(desktop.database, `INSERT INTO notes VALUES ('n', 'start')`);
    execute(desktop.database, `INSERT INTO prices VALUES ('p', 100)`);
    execute(desktop.database, `INSERT INTO broken VALUES ('b1', 'start'), ('b2', 'start')`);
    await Promise.all(group.replicas.map((replica) => replica.start()));
    await group.settle();
    // each of them newer than the one before
    for (const [at, { database, name }] of [desktop, laptop, phone].entries()) {
      execute(database, `UPDATE tallies SET count = ${9 - at}, note = 'of ${name}'`);
      execute(database, `UPDATE notes SET body = 'of ${name}'`);
      execute(database, `UPDATE prices SET cents = ${at}`);
      if (name !== 'phone') execute(database, `UPDATE broken SET body = 'of ${name}'`);
      const writtenMs = Date.now();
      await until(() => Date.now() > writtenMs, 'the next millisecond');
    }
    await group.settle();
  });

  after(() => group.remove());

  function everywhere(sql: string): unknown[] {
    return group.files.map((file) => queryRow(file, sql).join(' '));
  }

  async function conflictsOf(replica: Replica, table: string): Promise<ConflictList['conflicts']> {
    const { conflicts } = JSON.parse(await replica.cli('conflicts', '--json')) as ConflictList;
    return conflicts.filter((conflict) => conflict.table === table);
  }

  it('have what the resolver made of all three sides, and no conflict open', async () => {
    expect(everywhere('SELECT count, note FROM tallies')).to.deep.equal(Array(3).fill('9 of phone'));
    for (const replica of group.replicas) expect(await conflictsOf(replica, 'tallies')).to.deep.equal([]);
  });

  it('have what the preferred node wrote, though others wrote later', () => {
    expect(everywhere('SELECT cents FROM prices')).to.deep.equal(Array(3).fill('0'));
  });

  it('log once what a resolver threw, and leave its rows to a person', async () => {
    const failed = desktop.log.filter(({ message }) => message.startsWith('the resolver failed'));
    expect(failed).to.have.length(1);
    expect(failed[0]).to.include({
      level: 'error',
      table: 'broken',
      reason: 'the resolver threw: out of order',
    });
    const open = await conflictsOf(desktop, 'broken');
    expect(open.map(({ key, decided_by }) => [key[0], decided_by])).to.have.deep.members([
      ['b1', 'nobody'],
      ['b2', 'nobody'],
    ]);
    expect((await laptop.status()).conflicts).to.be.greaterThan(0);
    for (const { id } of open) await desktop.cli('conflicts', 'resolve', String(id), '--keep', 'remote');
    await group.settle();
    expect(everywhere('SELECT group_concat(body) FROM broken')).to.deep.equal(
      Array(3).fill('of laptop,of laptop'),
    );
  });

  it('each keep their own side under manual, until one person resolves it; then all are equal and at rest', async () => {
    expect(everywhere('SELECT body FROM notes')).to.deep.equal(['of desktop', 'of laptop', 'of phone']);
    expect(await phone.cli('conflicts')).to.include('undecided');
    await group.expectQuiet();
    const open = await conflictsOf(phone, 'notes');
    expect(open.map(({ remote }) => remote.record?.body)).to.have.members(['of desktop', 'of laptop']);
    for (const { id } of open) await phone.cli('conflicts', 'resolve', String(id), '--keep', 'local');
    await group.settle();
    expect(everywhere('SELECT body FROM notes')).to.deep.equal(Array(3).fill('of phone'));
    for (const replica of group.replicas) expect(await conflictsOf(replica, 'notes')).to.deep.equal([]);
    expectSameContent(group.files, KEYS);
    await group.expectQuiet();
  });

  it('refuse to start with a resolver that is no module, with 2', async () => {
    const broken = scratchFile('export default', 'x.mjs');
    const other = await ReplicaGroup.create({
      tables: [{ name: 'notes', conflict_resolution: 'custom', resolver: broken }],
      peers: { tablet: [] },
    });
    try {
      const tablet = other.replica('tablet');
      tablet.create(SCHEMA);
      await tablet.cli('migrate', '--no-backup');
      const { code, stderr } = await runCli(['start', '--config', tablet.configFile]);
      expect(code).to.equal(2);
      expect(stderr).to.include(`The resolver ${broken} can't be loaded`);
    } finally {
      await other.remove();
    }
  });
});
