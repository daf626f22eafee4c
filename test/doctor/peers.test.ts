import { expect } from 'chai';
import { freePort, sendJson, servePeer } from '../pull/peer-server.js';
import { serveFeed } from '../feed/serve.js';
import { startCli } from '../replication/command-line.js';
import type { Program } from '../replication/program.js';
import { createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';
import { expectFinding, findingsOf, reconfigure } from './diagnosis.js';

describe('doctor looks at the peers', function () {
  this.timeout(60_000);
  const closing: (() => unknown)[] = [];
  let ann: DatabaseFile;

  beforeEach(async () => {
    ann = await create('ann');
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  async function create(...args: Parameters<typeof createDatabaseFile>): Promise<DatabaseFile> {
    const file = await createDatabaseFile(...args);
    closing.push(() => file.app.close());
    return file;
  }

  /** Ann's only peer. */
  function setPeer(name: string, address: string): void {
    reconfigure(ann.file, { peers: [{ name, address }] });
  }

  async function setFeed(...args: Parameters<typeof serveFeed>): Promise<void> {
    const feed = await serveFeed(...args);
    closing.push(() => feed.close());
    setPeer('desktop', feed.url);
  }

  async function startBob(change: (bob: DatabaseFile) => void = () => undefined): Promise<Program> {
    const port = await freePort();
    const bob = await create('bob', { port });
    change(bob);
    const daemon = startCli(['start', '--config', bob.file]);
    closing.push(() => daemon.end('SIGTERM'));
    await daemon.line((line) => line.includes('listening'), 'line that it listens');
    setPeer('bob', `127.0.0.1:${port}`);
    return daemon;
  }

  it('and finds nothing wrong with a daemon of the same tables, whose clock agrees', async () => {
    await startBob();
    await expectFinding(ann.file, 'peer', 'ok', 'bob (http://127.0.0.1:');
    await expectFinding(ann.file, 'clock', 'ok', 'the clock of bob is');
    await expectFinding(ann.file, 'peer_tables', 'ok', 'bob replicates the same tables');
  });

  it('and only warns of one without an address that it does not find', async () => {
    const network = { discovery: true, discovery_interface: '127.0.0.1' };
    reconfigure(ann.file, { network, peers: [{ name: 'nobody-of-this-name' }] });
    await expectFinding(
      ann.file,
      'peer',
      'warning',
      'was not found in the local network',
      'network.discovery',
    );
  });

  it('and acknowledges nothing by it', async () => {
    const feed = await serveFeed();
    closing.push(() => feed.close());
    setPeer('desktop', feed.url);
    await expectFinding(ann.file, 'peer', 'ok', 'desktop');
    expect(feed.database.acknowledged).to.deep.equal([]);
  });

  it('and names columns, keys and tables that differ', async () => {
    await startBob(({ app, file }) => {
      app.exec('ALTER TABLE words ADD COLUMN german TEXT; CREATE TABLE notes (id TEXT PRIMARY KEY)');
      reconfigure(file, { tables: [{ name: 'words', exclude_columns: ['english'] }, { name: 'notes' }] });
    });
    ann.app.exec('CREATE TABLE users (id TEXT PRIMARY KEY)');
    reconfigure(ann.file, { tables: [{ name: 'words', timestamp_column: 'updated_at' }, { name: 'users' }] });
    const said = await findingsOf(ann.file, 'peer_tables');
    expect(said.map(({ level }) => level)).to.deep.equal(Array(4).fill('warning'));
    const messages = said.map(({ message }) => message).join('\n');
    expect(messages)
      .to.include('words lacks german here')
      .and.include('words lacks english at bob')
      .and.include('bob does not replicate users')
      .and.include('bob also replicates notes');
  });

  it('and names one that can not be reached, all of them at once', async () => {
    const ports = [await freePort(), await freePort()];
    const peers = ports.map((port, place) => ({ name: `p${place}`, address: `127.0.0.1:${port}` }));
    reconfigure(ann.file, { peers });
    const said = await findingsOf(ann.file, 'peer');
    expect(said.map(({ level }) => level)).to.deep.equal(['error', 'error']);
    expect(said[1]?.message).to.include('p1').and.include('nothing listens there');
    expect(said[1]?.fix).to.include('daemon');
  });

  it('and names one that does not answer in time', async () => {
    const silent = await servePeer(() => undefined);
    closing.push(() => silent.close());
    setPeer('bob', silent.address);
    reconfigure(ann.file, { network: { request_timeout: '300ms' } });
    await expectFinding(ann.file, 'peer', 'error', 'no answer in time', 'firewall');
  });

  it('and names one that does not accept our key', async () => {
    await setFeed({ apiKeys: ['k'.repeat(40)] });
    await expectFinding(ann.file, 'peer', 'error', 'refused us', 'key in common');
  });

  it('and names another replica, or ourselves, at its address', async () => {
    await setFeed({ node: 'server', now: Date.now });
    await expectFinding(ann.file, 'peer', 'error', 'answers as "server"', 'under peers:');
    await setFeed({ node: 'ann', now: Date.now });
    await expectFinding(ann.file, 'peer', 'error', 'our own node id "ann"', 'node.id');
  });

  it('and names another program, and another protocol', async () => {
    const web = await servePeer((_request, response) => sendJson(response, { hello: 'world' }));
    const newer = await servePeer((_request, response) =>
      sendJson(response, { node: 'bob', protocol: 2, server_time_ms: Date.now() }),
    );
    closing.push(
      () => web.close(),
      () => newer.close(),
    );
    setPeer('bob', web.address);
    await expectFinding(ann.file, 'peer', 'error', 'is no sqlite-p2p-sync', 'address');
    setPeer('bob', newer.address);
    await expectFinding(ann.file, 'peer', 'error', 'speaks protocol 2', 'same version');
  });

  it('and names a clock that is off', async () => {
    await setFeed({ now: () => Date.now() + 30_000 });
    await expectFinding(ann.file, 'clock', 'warning', 'ahead of ours, more than clock.max_skew', 'NTP');
    await setFeed({ now: () => Date.now() - 300_000 });
    await expectFinding(ann.file, 'clock', 'error', 'behind ours: above clock.abort_skew', 'NTP');
  });
});
