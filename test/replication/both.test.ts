import { rmSync } from 'node:fs';
import { expect } from 'chai';
import { markFileOf } from '#src/changelog/mark-file.js';
import { add, backUp, restoreDisk } from './backups.js';
import { countOf, execute, expectSameContent, queryRow } from './content.js';
import { ReplicaGroup, until, type Replica, type Settings } from './group.js';

const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT)';
const KEYS = { words: ['id'] };
const MANY = 6_000;

/** The group's helpers read each offer in the log. */
const TOLD: Settings = { log: { format: 'json', level: 'debug' } };

describe('a laptop that nobody can reach, and a server', function () {
  this.timeout(120_000);
  let group: ReplicaGroup;
  let laptop: Replica;
  let server: Replica;
  afterEach(() => group?.remove());

  async function create(settings: Settings = {}): Promise<void> {
    group = await ReplicaGroup.create({
      tables: [{ name: 'words' }],
      peers: { laptop: ['server'], server: ['laptop'] },
      firewalled: ['laptop'],
      settings: { ...TOLD, ...settings },
    });
    [laptop, server] = group.replicas as [Replica, Replica];
    for (const replica of group.replicas) {
      replica.create(SCHEMA);
      await replica.join();
    }
  }

  async function begin(settings: Settings = {}): Promise<void> {
    await create(settings);
    for (const replica of group.replicas) await replica.start();
  }

  const wordOf = ({ database }: Replica, id: string) =>
    queryRow(database, `SELECT english FROM words WHERE id = '${id}'`);

  it('have in the end what either has written, and then send nothing more', async () => {
    await begin();
    add(laptop, 'laptop', 5);
    add(server, 'server', 7);
    await laptop.pull('server');
    expectSameContent(group.files, KEYS);
    expect(countOf(server.database, 'words')).to.equal(12);
    execute(laptop.database, "DELETE FROM words WHERE id = 'server-0'");
    execute(server.database, "UPDATE words SET english = 'edited' WHERE id = 'laptop-1'");
    await group.settle();
    expect(expectSameContent(group.files, KEYS)).to.deep.equal({ words: 11 });
    expect(wordOf(laptop, 'laptop-1')).to.deep.equal(['edited']);
    await group.expectQuiet();
  });

  it('have with sync.live at once what either writes', async () => {
    await begin({ sync: { live: true } });
    await laptop.logged('pull finished');
    add(laptop, 'laptop', 3);
    await until(() => countOf(server.database, 'words') === 3, 'the words of the laptop at the server');
    add(server, 'server', 2);
    await until(() => countOf(laptop.database, 'words') === 5, 'the words of the server at the laptop');
  });

  it('keep what a conflict has overruled in a ledger', async () => {
    await begin();
    add(laptop, 'shared', 2);
    await group.settle();
    execute(server.database, "UPDATE words SET english = 'by the server' WHERE id = 'shared-0'");
    execute(laptop.database, "UPDATE words SET english = 'by the laptop' WHERE id = 'shared-0'");
    await group.settle();
    expectSameContent(group.files, KEYS);
    const ledgers = await Promise.all(
      group.replicas.map(async (replica) => (await replica.status()).conflicts),
    );
    // The laptop meets the server's version first; its own, where that wins, meets the server's there as well.
    const [winner] = wordOf(server, 'shared-0');
    expect(ledgers).to.deep.equal(winner === 'by the laptop' ? [1, 1] : [1, 0]);
  });

  it('tell in their status of the last offer, and how far behind the peer is; the server can not be asked to pull', async () => {
    await begin();
    add(laptop, 'laptop', 5);
    await laptop.pull('server');
    let { head, peers } = await laptop.status();
    await until(async () => {
      ({ head, peers } = await laptop.status());
      return peers[0]?.acknowledged === head && peers[0].offer?.phase === 'waiting';
    }, 'the acknowledgement, and no offer after that');
    const [offering] = peers;
    expect(offering).to.include({ name: 'server', direction: 'both', offered: null });
    expect(offering?.offer).to.include({ phase: 'waiting', failing: false, behind: 0, last_error: null });
    expect(offering?.offer?.last_success_ms).to.be.within(Date.now() - 20_000, Date.now());
    const [fed] = (await server.status()).peers;
    expect(fed).to.include({ name: 'laptop', address: null, direction: 'pull', pull: null, offer: null });
    expect(fed).to.include({ behind: 0 });
    expect(fed?.offered).to.include({ last_error: null });
    expect(fed?.cursor).not.to.equal('');
    const text = await server.cli('status');
    expect(text).to.contain('no address:').and.to.contain('feeds us');
    const verified = JSON.parse(await laptop.cli('verify', '--peer', 'server', '--json')) as object;
    expect(verified)
      .to.include({ equal: true })
      .and.to.deep.include({ not_pulled: { here: null, there: null } });
    execute(laptop.database, "INSERT INTO words VALUES ('later', 'not offered yet')");
    await until(async () => ((await laptop.status()).peers[0]?.offer?.behind ?? 0) > 0, 'what is behind');
    const answer = await server.fetch('/sync/trigger', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"peer":"laptop"}',
    });
    expect(answer.status).to.equal(400);
    expect(await answer.json()).to.have.nested.property('error.code', 'no_address');
    expect(await server.cli('sync')).to.contain('No peer has an address here: nothing to pull.');
    expect(server.log.filter(({ message }) => message === 'pull started')).to.deep.equal([]);
  });

  it('exchange everything by one sync of the laptop, without a daemon there', async () => {
    await create();
    await server.start();
    add(laptop, 'laptop', 5);
    add(server, 'server', 7);
    const { peers } = JSON.parse(await laptop.cli('sync', '--json')) as { peers: object[] };
    expect(peers[0]).to.deep.include({ peer: 'server', ok: true, applied: 7 });
    expect(peers[0]).to.have.nested.property('offered.applied', 5);
    expect(expectSameContent(group.files, KEYS)).to.deep.equal({ words: 12 });
    await server.stop();
    expect(JSON.parse(await server.cli('sync', '--json'))).to.deep.equal({ peers: [] });
  });

  it('are told where the server does not know the laptop, and the laptop still pulls', async () => {
    group = await ReplicaGroup.create({
      tables: [{ name: 'words' }],
      peers: { laptop: ['server'], server: [] },
      firewalled: ['laptop'],
      settings: TOLD,
    });
    [laptop, server] = group.replicas as [Replica, Replica];
    for (const replica of group.replicas) {
      replica.create(SCHEMA);
      await replica.join();
      await replica.start();
    }
    add(laptop, 'laptop', 1);
    add(server, 'server', 2);
    await laptop.logged('offer failed');
    await until(() => countOf(laptop.database, 'words') === 3 || ask(laptop), 'the rows of the server');
    expect(countOf(server.database, 'words')).to.equal(2);
    const [peer] = (await laptop.status()).peers;
    expect(peer?.offer?.last_error).to.include({ code: 'offer_refused' });
    expect(peer?.pull).to.include({ failing: false });
  });

  for (const killed of ['laptop', 'server'] as const) {
    it(`lose and repeat nothing where the ${killed} is killed in between, again and again`, async () => {
      await create({ sync: { interval: '200ms', page_size: 100 } });
      add(laptop, 'laptop', MANY);
      add(server, 'server', 500);
      for (const replica of group.replicas) await replica.start();
      for (const words of [1_000, 2_500, 4_500]) {
        await until(() => countOf(server.database, 'words') > words, `${words} words on the server`);
        await group.replica(killed).kill();
        await group.replica(killed).start();
      }
      await until(() => countOf(server.database, 'words') === MANY + 500, 'all words on the server');
      await until(() => countOf(laptop.database, 'words') === MANY + 500, 'all words on the laptop');
      expectSameContent(group.files, KEYS);
      const entries =
        'SELECT count(*), count(DISTINCT record_id) FROM _sync_changes WHERE origin IS NOT NULL';
      for (const file of group.files) {
        expect(queryRow(file, entries)).to.deep.equal([MANY + 500, MANY + 500]);
        expect(queryRow(file, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
      }
    });
  }

  for (const restored of ['laptop', 'server'] as const) {
    for (const [noticed, prepare] of [
      ['which it notices itself', (replica: Replica) => rmSync(markFileOf(replica.database))],
      ['which only the other can tell', () => undefined],
    ] as const) {
      it(`recover from a ${restored} whose disk was put back, ${noticed}`, async () => {
        await begin();
        const subject = group.replica(restored);
        const other = restored === 'laptop' ? server : laptop;
        add(laptop, 'early', 3);
        await group.settle();
        const backup = backUp(subject);
        add(subject, 'lost', 5);
        add(other, 'other', 4);
        await group.settle();
        await subject.stop();
        restoreDisk(subject, backup);
        prepare(subject);
        add(subject, 'afterwards', 20);
        await subject.start();
        await group.settle();
        await group.settle();
        expect(expectSameContent(group.files, KEYS)).to.deep.equal({ words: 3 + 5 + 4 + 20 });
        await group.expectQuiet();
      });
    }
  }
});

describe('two phones that nobody can reach, and a server between them', function () {
  this.timeout(120_000);
  let group: ReplicaGroup;
  afterEach(() => group?.remove());

  it('have each what the other has written', async () => {
    group = await ReplicaGroup.create({
      tables: [{ name: 'words' }],
      peers: { phone: ['server'], server: ['phone', 'tablet'], tablet: ['server'] },
      firewalled: ['phone', 'tablet'],
      settings: TOLD,
    });
    const [phone, , tablet] = group.replicas as [Replica, Replica, Replica];
    for (const replica of group.replicas) {
      replica.create(SCHEMA);
      await replica.join();
      await replica.start();
    }
    for (const replica of group.replicas) add(replica, replica.name, 10);
    await group.settle();
    expect(expectSameContent(group.files, KEYS)).to.deep.equal({ words: 30 });
    execute(phone.database, "UPDATE words SET english = 'from the phone' WHERE id = 'tablet-0'");
    execute(tablet.database, "DELETE FROM words WHERE id = 'phone-0'");
    await phone.kill();
    await group.settle([group.replica('server'), tablet]);
    await phone.start();
    await group.settle();
    expect(expectSameContent(group.files, KEYS)).to.deep.equal({ words: 29 });
    expect(queryRow(tablet.database, "SELECT english FROM words WHERE id = 'tablet-0'")).to.deep.equal([
      'from the phone',
    ]);
    await group.expectQuiet();
    // What each has is known to all, so that nothing keeps tombstones for ever.
    const { members } = await group.replica('server').status();
    expect(members.map(({ node }) => node).sort()).to.deep.equal(['phone', 'tablet']);
  });
});

/** Asks for a pull that nothing waits for. */
async function ask(replica: Replica): Promise<boolean> {
  await replica.fetch('/sync/trigger-all', { method: 'POST' });
  return false;
}
