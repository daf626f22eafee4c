import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { openReplica, type Replica } from '#src/index.js';
import {
  addWords,
  createDatabaseFile,
  wordsOf,
  type DatabaseFile,
  type FileOptions,
} from '../stand-ins/database-file.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';

interface Running extends DatabaseFile {
  readonly replica: Replica;
  readonly log: LogRecorder;
  readonly url: string;
}

describe('a replica on a real database', () => {
  const opened: { replica: Replica; app: DatabaseFile['app'] }[] = [];
  afterEach(async () => {
    for (const { replica, app } of opened.splice(0)) {
      if (app.inTransaction) app.exec('ROLLBACK');
      await replica.stop();
      app.close();
    }
  });

  async function start(node: string, options: FileOptions = {}): Promise<Running> {
    const database = await createDatabaseFile(node, options);
    const log = new LogRecorder();
    const replica = await openReplica(database.config, { logger: log.logger });
    opened.push({ replica, app: database.app });
    await replica.start();
    return { ...database, replica, log, url: `http://${replica.address ?? ''}` };
  }

  async function pull(into: Running, peer: string): Promise<void> {
    const count = into.log.of('pull finished').length;
    into.replica.trigger(peer);
    await into.log.until('pull finished', count + 1);
  }

  it('brings what any program writes to the peers of its peers, and echoes nothing', async () => {
    const a = await start('a');
    const b = await start('b', { peers: [{ name: 'a', address: a.url }] });
    const c = await start('c', { peers: [{ name: 'b', address: b.url }] });
    await Promise.all([b.log.until('pull finished'), c.log.until('pull finished')]);
    addWords(a.app, 'from a');
    addWords(b.app, 'from b');
    await pull(b, 'a');
    await pull(c, 'b');
    expect(wordsOf(c.app)).to.deep.equal(['from a', 'from b']);
    await pull(b, 'a');
    await pull(c, 'b');
    expect(c.log.of('pull finished').at(-1)).to.include({ applied: 0, skipped: 0 });
    const { head } = await c.replica.status();
    await pull(c, 'b');
    expect((await c.replica.status()).head).to.equal(head);
  });

  it('answers while the app holds the write lock, and brings the rest afterwards', async () => {
    const a = await start('a');
    const b = await start('b', { peers: [{ name: 'a', address: a.url }] });
    await b.log.until('pull finished');
    addWords(a.app, 'before');
    await pull(b, 'a');
    a.app.exec('BEGIN IMMEDIATE');
    addWords(a.app, 'held');
    const startedMs = Date.now();
    expect((await fetch(`${a.url}/health`)).status).to.equal(200);
    await pull(b, 'a');
    expect(Date.now() - startedMs).to.be.lessThan(2000);
    expect(wordsOf(b.app)).to.deep.equal(['before']);
    a.app.exec('COMMIT');
    await pull(b, 'a');
    expect(wordsOf(b.app)).to.deep.equal(['before', 'held']);
  });

  it('stops soon while the app holds the write lock', async () => {
    const a = await start('a');
    const b = await start('b', { peers: [{ name: 'a', address: a.url }] });
    await b.log.until('pull finished');
    addWords(a.app, 'x');
    b.app.exec('BEGIN IMMEDIATE');
    b.replica.trigger('a');
    await b.log.until('pull started', 2);
    const startedMs = Date.now();
    await b.replica.stop();
    expect(Date.now() - startedMs).to.be.lessThan(3000);
  });

  it('wakes a held request when another program commits', async () => {
    const a = await start('a');
    const answer = fetch(`${a.url}/sync/changes?wait=60`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    addWords(a.app, 'x');
    expect(await (await answer).json()).to.have.nested.property('changes[0].key[0]', 'x');
  });

  it('starts over with a peer whose log is another one', async () => {
    const a = await start('a');
    const b = await start('b', { peers: [{ name: 'a', address: a.url }] });
    addWords(a.app, 'x');
    await pull(b, 'a');
    b.app.exec(`UPDATE _sync_peers SET cursor = 'ff.1.ff'`);
    await pull(b, 'a');
    expect(b.log.of('pull finished').at(-1)).to.include({ skipped: 1 });
  });

  it('has caught up with a raw log although nobody pulls', async () => {
    const a = await start('a');
    addWords(a.app, 'x', 'y');
    while ((await a.replica.status()).unfolded > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await a.replica.status()).head).to.be.greaterThan(0);
  });

  it('refuses a database that was not migrated', async () => {
    const { config, app } = await createDatabaseFile('a', { migrated: false });
    const error = await openReplica(config, { logger: new LogRecorder().logger }).catch(
      (thrown: unknown) => thrown,
    );
    app.close();
    expect(error).to.be.instanceOf(SyncError).and.to.include({ code: 'not_migrated', exitCode: 1 });
  });
});
