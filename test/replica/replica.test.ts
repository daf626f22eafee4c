import { once } from 'node:events';
import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { Replica } from '#src/replica/replica.js';
import type { NodesReport, StatusReport } from '#src/replica/status.js';
import { testConfig, type ConfigOptions } from '../stand-ins/config.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { MemoryDatabase } from '../stand-ins/memory-database.js';

interface Running {
  readonly replica: Replica;
  readonly database: MemoryDatabase;
  readonly log: LogRecorder;
  readonly url: string;
}

describe('a replica', () => {
  const running: Replica[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((replica) => replica.stop()));
  });

  function open(node: string, options: ConfigOptions = {}) {
    const database = new MemoryDatabase(node, Buffer.from(node).toString('hex'));
    const log = new LogRecorder();
    const replica = new Replica(testConfig({ node, ...options }), log.logger, database.threads);
    running.push(replica);
    return { replica, database, log };
  }

  async function start(node: string, options: ConfigOptions = {}): Promise<Running> {
    const opened = open(node, options);
    await opened.replica.start();
    return { ...opened, url: `http://${opened.replica.address ?? ''}` };
  }

  it('pulls from its peers and serves what it has pulled, along a chain', async () => {
    const a = await start('a');
    const b = await start('b', { peers: [{ name: 'a', address: a.url }] });
    const c = await start('c', { peers: [{ name: 'b', address: b.url }] });
    await Promise.all([b.log.until('pull finished'), c.log.until('pull finished')]);
    a.database.insert('from a');
    const applied = once(b.replica, 'applied');
    b.replica.trigger('a');
    expect((await applied)[0]).to.equal('a');
    c.replica.trigger(b.url);
    await c.log.until('pull finished', 2);
    expect(c.database.keys).to.deep.equal(['from a']);
    expect(a.database.acknowledged[0]).to.match(/^b 62 /);
  });

  it('says what it replicates, how often, and where it listens, before it pulls', async () => {
    const a = await start('a');
    const b = await start('b', { peers: [{ name: 'a', address: a.url }], sync: { intervalMs: 30_000 } });
    await b.log.until('pull finished');
    expect(b.log.of('replicating')[0]).to.deep.include({ node: 'b', tables: ['words'] });
    expect(b.log.of('pulling')[0]).to.include({ peer: 'a', address: a.url, everySeconds: 30 });
    expect(b.log.of('listening')[0]).to.include({ address: b.url });
    expect(a.log.of('no peer is configured: only serving')).to.have.length(1);
    const messages = b.log.lines.map(({ message }) => message);
    expect(messages.indexOf('listening')).to.be.lessThan(messages.indexOf('pull started'));
  });

  it('reports itself and its peers', async () => {
    const a = await start('a');
    const b = await start('b', { peers: [{ name: 'a', address: a.url }] });
    await b.log.until('pull finished');
    const status = (await (await fetch(`${b.url}/sync/status`)).json()) as StatusReport;
    expect(status).to.deep.include({ node: 'b', running: true, tables: ['words'], disk_low: false });
    expect(`http://${status.listen}`).to.equal(b.url);
    expect(status.peers[0]).to.include({ name: 'a', address: a.url });
    expect(status.peers[0]?.pull).to.include({
      lost: false,
      failing: false,
      breaker: 'closed',
      last_error: null,
    });
    expect(status.peers[0]?.pull?.skew_ms).to.be.within(-1000, 1000);
    const { nodes } = (await (await fetch(`${b.url}/nodes`)).json()) as NodesReport;
    expect(nodes).to.deep.equal([
      { id: 'b', name: 'b', address: status.listen, self: true, state: 'self', reachable: true },
      { id: 'a', name: null, address: a.url, self: false, state: 'configured', reachable: true },
    ]);
  });

  it('applies pages knowing how far the clocks of its peers are off', async () => {
    const a = await start('a');
    const b = await start('b', { peers: [{ name: 'a', address: a.url }] });
    await b.log.until('pull finished');
    a.database.insert('x');
    b.replica.trigger('a');
    await b.log.until('pull finished', 2);
    const { skewsMs = {} } = b.database.applied.at(-1) ?? {};
    expect(Object.keys(skewsMs)).to.deep.equal(['a']);
    expect(skewsMs.a).to.equal((await b.replica.status()).peers[0]?.pull?.skew_ms);
  });

  it('pulls when its feed is told to', async () => {
    const a = await start('a');
    const b = await start('b', { peers: [{ name: 'a', address: a.url }] });
    await b.log.until('pull finished');
    a.database.insert('x');
    const post = (path: string, body: object) =>
      fetch(b.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await post('/sync/trigger', { peer: a.url.replace('http://', '') })).status).to.equal(202);
    await b.log.until('pull finished', 2);
    expect(b.database.keys).to.deep.equal(['x']);
    expect((await post('/sync/full-sync', { peer: 'a' })).status).to.equal(202);
    expect(await b.log.until('pull finished', 3)).to.include({ skipped: 1 });
    expect((await post('/sync/trigger-all', {})).status).to.equal(202);
    await b.log.until('pull finished', 4);
    expect((await post('/sync/trigger', { peer: 'z' })).status).to.equal(404);
  });

  it('pulls by a schedule instead of an interval', async () => {
    const a = await start('a');
    const b = await start('b', { peers: [{ name: 'a', address: a.url }], sync: { schedule: '* * * * * *' } });
    await b.log.until('pull finished', 2);
  });

  it('folds what the app writes although nobody pulls', async () => {
    const a = await start('a');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = a.database.folds;
    a.database.insert('x');
    while (a.database.folds === before) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('holds a request of a peer until the app commits', async () => {
    const a = await start('a');
    const answer = fetch(`${a.url}/sync/changes?wait=60`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    a.database.insert('x');
    expect(await (await answer).json()).to.have.nested.property('changes[0].key[0]', 'x');
  });

  it('says that its port is taken', async () => {
    const a = await start('a');
    const { replica } = open('b', { port: Number(new URL(a.url).port) });
    const error = await replica.start().catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(SyncError).and.to.include({ code: 'port_taken', exitCode: 1 });
  });

  it('says that it has failed when a database thread ends, and nothing when it was stopped', async () => {
    const { replica, database } = await start('a');
    const failed = once(replica, 'failed');
    database.endThread();
    await failed;
    const stopped = await start('b');
    let failures = 0;
    stopped.replica.on('failed', () => (failures += 1));
    await stopped.replica.stop();
    stopped.database.endThread();
    await stopped.database.ended;
    expect(failures).to.equal(0);
  });

  it('emits that a peer is lost and regained', async () => {
    const gone = await start('a');
    const port = Number(new URL(gone.url).port);
    await gone.replica.stop();
    const { replica } = open('b', {
      peers: [{ name: 'a', address: gone.url }],
      network: { reconnectIntervalMs: 10 },
    });
    const lost = once(replica, 'peerLost');
    const regained = once(replica, 'peerRegained');
    await replica.start();
    expect((await lost)[0]).to.equal('a');
    await start('a', { port });
    expect((await regained)[0]).to.equal('a');
  });

  describe('stops', () => {
    it('twice without harm, and closes the database', async () => {
      const { replica, database, url } = await start('a');
      await Promise.all([replica.stop(), replica.stop()]);
      expect(database.closed).to.equal(true);
      const outcome = await fetch(url).catch((error: unknown) => error);
      expect(outcome).to.be.instanceOf(Error);
    });

    it('while it holds requests and pulls', async () => {
      const a = await start('a');
      const b = await start('b', { peers: [{ name: 'a', address: a.url }] });
      await b.log.until('pull finished');
      const held = fetch(`${b.url}/sync/changes?wait=60`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const release = a.database.lock();
      b.replica.trigger('a');
      const startedMs = Date.now();
      await b.replica.stop();
      expect(Date.now() - startedMs).to.be.lessThan(900);
      expect((await held).status).to.equal(200);
      release();
    });

    it('within 5 s when the database is held for ever', async function () {
      this.slow(10_000);
      const { replica, database, log } = await start('a');
      database.lock();
      const startedMs = Date.now();
      await replica.stop();
      expect(Date.now() - startedMs).to.be.lessThan(5000);
      expect(log.lines.at(-1)).to.have.property('level', 'warn');
    });
  });

  describe('syncs once without start', () => {
    it('from each peer, and tells how each ended', async () => {
      const a = await start('a');
      a.database.insert('x', 'y');
      const gone = await start('gone');
      await gone.replica.stop();
      const { replica } = open('b', {
        peers: [
          { name: 'a', address: a.url },
          { name: 'gone', address: gone.url },
        ],
      });
      const outcomes = await replica.sync();
      expect(outcomes[0]).to.include({ peer: 'a', error: null });
      expect(outcomes[0]?.result).to.include({ applied: 2 });
      expect(outcomes[1]).to.include({ peer: 'gone', result: null });
      expect(outcomes[1]?.error).to.have.property('code', 'peer_unreachable');
    });

    it('from one peer, from the start when told to', async () => {
      const a = await start('a');
      a.database.insert('x');
      const { replica, database } = open('b', { peers: [{ name: 'a', address: a.url }] });
      await replica.sync({ peer: 'a' });
      expect((await replica.sync({ peer: 'a' }))[0]?.result).to.include({ received: 0 });
      expect((await replica.sync({ peer: 'a', full: true }))[0]?.result).to.include({
        received: 1,
        skipped: 1,
      });
      expect(database.resets).to.equal(1);
    });

    it('refuses a peer that is not configured', async () => {
      const { replica } = open('b');
      const error = await replica.sync({ peer: 'z' }).catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: 'unknown_peer', exitCode: 2 });
    });

    it('refuses to pull from itself', async () => {
      const a = await start('a');
      const { replica } = open('a', { peers: [{ name: 'b', address: a.url }] });
      expect((await replica.sync())[0]?.error).to.have.property('code', 'peer_is_self');
    });

    it('applies nothing on a disk that is almost full', async () => {
      const a = await start('a');
      const { replica } = open('b', {
        peers: [{ name: 'a', address: a.url }],
        database: { path: '/tmp/app.db', lowDiskBytes: Number.MAX_SAFE_INTEGER },
      });
      expect((await replica.sync())[0]?.error).to.have.property('code', 'low_disk');
      expect(await replica.status()).to.include({ disk_low: true, running: false, listen: null });
    });
  });
});
