import { statSync } from 'node:fs';
import { expect } from 'chai';
import type { StatusReport } from '#src/replica/status.js';
import { runMain } from '../cli/captured.js';
import { freePort, sendJson, servePeer } from '../pull/peer-server.js';
import { startCli } from '../replication/command-line.js';
import type { Program } from '../replication/program.js';
import { addWords, createDatabaseFile, wordsOf, type DatabaseFile } from '../stand-ins/database-file.js';

/** The daemon in a process of its own, from its first line to a signal. */
describe('the commands around the daemon', () => {
  const files: DatabaseFile[] = [];
  const daemons: Program[] = [];
  afterEach(async () => {
    await Promise.all(daemons.splice(0).map((daemon) => daemon.end('SIGKILL')));
    for (const { app } of files.splice(0)) app.close();
  });

  async function create(...args: Parameters<typeof createDatabaseFile>): Promise<DatabaseFile> {
    const file = await createDatabaseFile(...args);
    files.push(file);
    return file;
  }

  async function start({ file }: DatabaseFile, ...args: string[]): Promise<Program> {
    const daemon = startCli(['start', '--config', file, ...args]);
    daemons.push(daemon);
    await daemon.line((line) => line.includes('listening'), 'line that it listens');
    return daemon;
  }

  describe('start', () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      it(`ends with 0 on ${signal}, also during a pull, and empties the WAL`, async () => {
        const silent = await servePeer(() => undefined);
        const a = await create('a', { peers: [{ name: 'b', address: silent.address }] });
        addWords(a.app, 'x');
        const daemon = await start(a);
        await daemon.line((line) => line.includes('pull started'), 'pull');
        const startedMs = Date.now();
        expect(await daemon.end(signal)).to.deep.equal({ code: 0, signal: null });
        expect(Date.now() - startedMs).to.be.lessThan(5000);
        expect(daemon.lines.at(-1)).to.include('stopped');
        expect(statSync(`${a.config.database.path}-wal`).size).to.equal(0);
        await silent.close();
      });
    }

    it('says what it replicates, how often and where it listens, and how a pull went', async () => {
      const port = await freePort();
      const a = await create('a', { port });
      await start(a);
      addWords(a.app, 'x', 'y');
      const b = await create('b', { peers: [{ name: 'a', address: `127.0.0.1:${port}` }] });
      const daemon = await start(b);
      const pulled = await daemon.line((line) => line.includes('pull finished'), 'end of a pull');
      expect(pulled).to.match(/peer=a applied=2 .*durationMs=\d+/);
      const said = daemon.lines.join('\n');
      expect(said)
        .to.include('node=b')
        .and.to.include('tables=["words"]')
        .and.to.include('everySeconds=3600');
      expect(wordsOf(b.app)).to.deep.equal(['x', 'y']);
    });

    it('prints one JSON document with --json, and logs on stderr', async () => {
      const daemon = startCli(['start', '--json', '--config', (await create('a')).file]);
      daemons.push(daemon);
      await daemon.line((line) => line === '}', 'end of the document');
      expect(JSON.parse(daemon.lines.join('\n'))).to.have.keys('node', 'listen', 'pid');
      expect(await daemon.end('SIGTERM')).to.include({ code: 0 });
      expect(daemon.errors).to.include('replicating');
    });

    it('refuses a port that is taken', async () => {
      const port = await freePort();
      const a = await create('a', { port });
      await start(a);
      const second = await runMain(['start', '--config', a.file]);
      expect(second.status).to.equal(1);
      expect(second.stderr)
        .to.include(`another program listens on 127.0.0.1:${port}`)
        .and.to.include('status');
    });

    it('refuses a database that was not migrated', async () => {
      const { file } = await create('a', { migrated: false });
      const { status, stderr } = await runMain(['start', '--config', file]);
      expect(status).to.equal(1);
      expect(stderr).to.include('migrate');
    });
  });

  describe('sync', () => {
    it('pulls from each peer, prints the counts, and fails when one can not be reached', async () => {
      const port = await freePort();
      const a = await create('a', { port });
      const peers = [
        { name: 'a', address: `127.0.0.1:${port}` },
        { name: 'gone', address: `127.0.0.1:${await freePort()}` },
      ];
      const b = await create('b', { peers });
      addWords(a.app, 'x', 'y');
      await start(a);
      const all = await runMain(['sync', '--config', b.file]);
      expect(all.status).to.equal(1);
      expect(all.stdout).to.match(/a +│ 2 +│ 0 +│ 0 +│ 0 +│ at its head/);
      expect(all.stdout).to.match(/gone +│ .* peer_unreachable/);
      expect(all.stderr).to.include('nothing listens there');
      const again = await runMain(['sync', '--peer', 'a', '--full', '--json', '--config', b.file]);
      expect(again.status).to.equal(0);
      expect(JSON.parse(again.stdout)).to.have.nested.property('peers[0].skipped', 2);
    });

    it('refuses an unknown peer with 2', async () => {
      const { file } = await create('a');
      const { status, stderr } = await runMain(['sync', '--peer', 'z', '--config', file]);
      expect(status).to.equal(2);
      expect(stderr).to.include('no peer "z"');
    });

    it('says that there is nothing to do without peers', async () => {
      const { file } = await create('a');
      const { status, stdout } = await runMain(['sync', '--config', file]);
      expect(status).to.equal(0);
      expect(stdout).to.include('No peer is configured');
    });
  });

  describe('trigger and trigger-all', () => {
    it('make the daemon pull now', async () => {
      const ports = [await freePort(), await freePort()] as const;
      const a = await create('a', { port: ports[0] });
      const b = await create('b', {
        port: ports[1],
        peers: [{ name: 'a', address: `127.0.0.1:${ports[0]}` }],
      });
      await start(a);
      const daemon = await start(b);
      const finished = (line: string) => line.includes('pull finished');
      await daemon.line(finished, 'first pull');
      addWords(a.app, 'x');
      let seen = daemon.lines.length;
      expect(await runMain(['trigger', 'a', '--config', b.file])).to.include({ status: 0 });
      await daemon.line(finished, 'triggered pull', 20_000, seen);
      expect(wordsOf(b.app)).to.deep.equal(['x']);
      seen = daemon.lines.length;
      const all = await runMain(['trigger-all', '--json', '--config', b.file]);
      expect(JSON.parse(all.stdout)).to.deep.equal({ status: 'triggered', peers: ['a'] });
      await daemon.line(finished, 'pull of all', 20_000, seen);
      const unknown = await runMain(['trigger', 'z', '--config', b.file]);
      expect(unknown.status).to.equal(2);
      expect(unknown.stderr).to.include('no peer "z" is configured');
    });

    it('fail with 1 without a daemon', async () => {
      const { file } = await create('a', { port: await freePort() });
      for (const command of ['trigger', 'trigger-all']) {
        const { status, stderr } = await runMain([command, '--config', file]);
        expect(status).to.equal(1);
        expect(stderr).to.include('no daemon').and.to.include('sqlite-p2p-sync start');
      }
    });

    it('do not take another program for the daemon', async () => {
      const other = await servePeer((_request, response) => {
        sendJson(response, { node: 'toaster' });
      });
      const { file } = await create('a', { port: other.port });
      const { status, stderr } = await runMain(['trigger', '--config', file]);
      expect(status).to.equal(1);
      expect(stderr).to.include('toaster');
      await other.close();
    });
  });

  describe('status', () => {
    it('asks the daemon, and shows its peers', async () => {
      const port = await freePort();
      const gone = { name: 'gone', address: `127.0.0.1:${await freePort()}` };
      const a = await create('a', { port, peers: [gone] });
      const daemon = await start(a);
      await daemon.line((line) => line.includes('peer is lost'), 'lost peer');
      const text = await runMain(['status', '--config', a.file]);
      expect(text.status).to.equal(0);
      expect(text.stdout)
        .to.include(`listening on 127.0.0.1:${port}`)
        .and.to.match(/gone +│ lost/);
      const json = await runMain(['status', '--json', '--config', a.file]);
      const report = JSON.parse(json.stdout) as StatusReport;
      expect(report).to.include({ node: 'a', running: true });
      expect(report.peers[0]?.pull?.last_error).to.include({ code: 'peer_unreachable' });
    });

    it('reads the database where no daemon runs, and says so', async () => {
      const a = await create('a', { port: await freePort() });
      const text = await runMain(['status', '--config', a.file]);
      expect(text.status).to.equal(0);
      expect(text.stdout).to.include('not running').and.to.include('No peers.');
      const json = await runMain(['status', '--json', '--config', a.file]);
      expect(JSON.parse(json.stdout)).to.include({ node: 'a', running: false, listen: null });
    });

    it('names the tables that wait for a backfill', async () => {
      const a = await create('a', { port: await freePort(), migrated: false });
      addWords(a.app, 'x');
      await runMain(['migrate', '--no-backup', '--config', a.file]);
      const { stdout } = await runMain(['status', '--config', a.file]);
      expect(stdout).to.match(/words: run sqlite-p2p-sync backfill/);
    });

    it('refuses a database that was not migrated', async () => {
      const { file } = await create('a', { port: await freePort(), migrated: false });
      const { status, stderr } = await runMain(['status', '--config', file]);
      expect(status).to.equal(1);
      expect(stderr).to.include('migrate');
    });
  });
});
