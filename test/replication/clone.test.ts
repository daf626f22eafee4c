import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { freePort } from '../pull/peer-server.js';
import { scratchFolder } from '../scratch.js';
import { commandLine, runCli, runCliWell, startCli } from './command-line.js';
import { countOf, execute, expectSameContent, queryRow, withDatabase } from './content.js';
import { startPython, withPrograms } from './foreign-programs.js';
import { Replica, ReplicaGroup, until } from './group.js';
import { Program } from './program.js';

const SCHEMA =
  'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER); CREATE TABLE big (id TEXT PRIMARY KEY, body, updated_at)';
const TABLES = [{ name: 'words', timestamp_column: 'updated_at' }];
const KEY = 'k'.repeat(32);

interface Report {
  readonly bytes: number;
  readonly resumed: number;
  readonly pulled: { received: number; applied: number } | null;
  readonly pull_error: { code: string } | null;
  readonly copy: boolean;
}

describe('clone', function () {
  this.timeout(180_000);
  let group: ReplicaGroup;
  let desktop: Replica;
  const daemons: Program[] = [];
  const servers: Server[] = [];

  beforeEach(async () => {
    group = await ReplicaGroup.create({
      tables: TABLES,
      peers: { desktop: [], laptop: ['desktop'] },
      settings: { network: { request_timeout: '2s', max_retries: 0, connect_timeout: '1s' } },
    });
    desktop = group.replica('desktop');
    for (const replica of group.replicas) {
      replica.create(SCHEMA);
      await replica.join();
    }
  });

  afterEach(async () => {
    await Promise.all(daemons.splice(0).map((daemon) => daemon.end('SIGKILL')));
    for (const server of servers.splice(0)) server.close();
    await group.remove();
  });

  function add(replica: Replica, prefix: string, rows: number, size = 10): void {
    withDatabase(replica.database, (database) => {
      const insert = database.prepare('INSERT INTO words VALUES (?, ?, ?)');
      database.transaction(() => {
        for (let row = 0; row < rows; row += 1) insert.run(`${prefix}-${row}`, 'x'.repeat(size), Date.now());
      })();
    });
  }

  /** The command line of a clone into a folder of its own. */
  function cloneArgs(folder: string, address = desktop.address, ...more: string[]): string[] {
    const [db, config] = [join(folder, 'app.db'), join(folder, 'sync-config.yaml')];
    return ['clone', address, '--db', db, '--node', 'tablet', '--config', config, '--json', ...more];
  }

  async function clone(folder: string, ...more: string[]): Promise<Report> {
    return JSON.parse(await runCliWell(cloneArgs(folder, desktop.address, ...more))) as Report;
  }

  it('makes a replica whose first pull brings nothing that it has, and which converges with the group', async () => {
    add(desktop, 'd', 500);
    execute(desktop.database, "DELETE FROM words WHERE id = 'd-3'; INSERT INTO big VALUES ('b', 'local', 1)");
    await desktop.start();
    const folder = scratchFolder();
    const port = await freePort();
    const report = await clone(folder, '--listen', `127.0.0.1:${port}`);
    expect(report).to.deep.include({ pulled: { received: 0, applied: 0 }, pull_error: null, copy: false });
    const file = join(folder, 'app.db');
    expectSameContent([desktop.database, file], { words: ['id'] });
    expect(queryRow(file, "SELECT count(*) FROM sqlite_schema WHERE name = 'big'")).to.deep.equal([0]);
    expect(queryRow(file, 'PRAGMA journal_mode')).to.deep.equal(['wal']);
    expect(parse(readFileSync(join(folder, 'sync-config.yaml'), 'utf8'))).to.deep.include({
      tables: [
        { name: 'words', primary_key: 'id', timestamp_column: 'updated_at', timestamp_format: 'auto' },
      ],
      peers: [{ name: 'desktop', address: desktop.address }],
    });

    // It writes, and others pull from it what they have and have not.
    execute(file, "INSERT INTO words VALUES ('mine', 'tablet', 1); DELETE FROM words WHERE id = 'd-4'");
    add(desktop, 'later', 5);
    const daemon = startCli(['start', '--config', join(folder, 'sync-config.yaml')]);
    daemons.push(daemon);
    await daemon.line((line) => line.includes('pull finished'), 'end of a pull');
    const laptop = group.replica('laptop');
    const config = readFileSync(laptop.configFile, 'utf8');
    writeFileSync(
      laptop.configFile,
      config.replace('peers:', `peers:\n  - name: tablet\n    address: 127.0.0.1:${port}`),
    );
    await laptop.start();
    await laptop.pull('tablet');
    await laptop.pull('desktop');
    const counts = expectSameContent([file, laptop.database], { words: ['id'] });
    expect(counts).to.deep.equal({ words: 504 });
    expect((await laptop.pull('tablet')).applied).to.equal(0);
    expect(queryRow(file, 'SELECT node, renewed FROM _sync_replica')).to.deep.equal(['tablet', 0]);
    expect(countOf(desktop.database, '_sync_members', "node = 'tablet'")).to.equal(1);
    await desktop.stop();
    expect(existsSync(`${desktop.database}-sync-snapshot`)).to.equal(false);
  });

  withPrograms(['python3'], () => {
    it('loses nothing beside a program that writes in bulk', async () => {
      add(desktop, 'd', 20_000);
      await desktop.start();
      const writer = startPython('bulk_writer.py', desktop.database, 'bulk');
      daemons.push(writer);
      await writer.line((line) => line.startsWith('committed'), 'first transaction');
      for (let round = 0; round < 2; round += 1) {
        const folder = scratchFolder();
        const report = await clone(folder);
        expect(report.copy).to.equal(false);
        const file = join(folder, 'app.db');
        if (round < 1) continue;
        writer.closeInput();
        expect(await writer.ended).to.deep.equal({ code: 0, signal: null });
        await runCliWell(['sync', '--config', join(folder, 'sync-config.yaml')]);
        expectSameContent([desktop.database, file], { words: ['id'] });
        expect(countOf(file, '_sync_conflicts') + countOf(file, '_sync_quarantine')).to.equal(0);
      }
    });
  });

  it('goes on where it was interrupted, and starts over where that snapshot is gone', async () => {
    add(desktop, 'd', 3000, 2000);
    await desktop.start();
    const proxy = await cuttingProxy(desktop.address, [500_000, 3_000_000]);
    const folder = scratchFolder();
    const { stdout, stderr, code } = await runCli(cloneArgs(folder, proxy.address));
    expect(code, stderr).to.equal(0);
    expect((JSON.parse(stdout) as Report).pulled).to.deep.equal({ received: 0, applied: 0 });
    const ranges = proxy.ranges.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0));
    expect(ranges).to.have.length(3);
    expect(ranges[1]).to.be.within(1, 500_000);
    expect(ranges[2]).to.be.within(500_000, 3_500_000);
    expectSameContent([desktop.database, join(folder, 'app.db')], { words: ['id'] });

    // A command that was killed in the middle; then the source starts again, and has forgotten the snapshot.
    const again = scratchFolder();
    const stalled = await cuttingProxy(desktop.address, [Infinity], 1_000_000);
    const first = startCli(cloneArgs(again, stalled.address));
    const unfinished = join(again, 'app.db.unfinished');
    await until(() => existsSync(unfinished) && readFileSync(unfinished).length > 900_000, 'part of it');
    await first.end('SIGKILL');
    await desktop.stop();
    await desktop.start();
    const report = await clone(again);
    expect(report.pulled).to.deep.equal({ received: 0, applied: 0 });
    expectSameContent([desktop.database, join(again, 'app.db')], { words: ['id'] });
    expect(existsSync(unfinished)).to.equal(false);
  });

  withPrograms(['python3'], () => {
    it('goes on where a killed command left off, with a bar on a terminal', async () => {
      add(desktop, 'd', 3000, 2000);
      await desktop.start();
      const folder = scratchFolder();
      const stalled = await cuttingProxy(desktop.address, [Infinity], 1_000_000);
      const first = startCli(cloneArgs(folder, stalled.address));
      const unfinished = join(folder, 'app.db.unfinished');
      await until(() => existsSync(unfinished) && readFileSync(unfinished).length > 900_000, 'part of it');
      await first.end('SIGKILL');
      const proxy = await cuttingProxy(desktop.address, []);
      const args = cloneArgs(folder, proxy.address).filter((word) => word !== '--json');
      const terminal = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)';
      const second = new Program(['python3', '-c', terminal, ...commandLine(args)]);
      daemons.push(second);
      expect((await second.ended).code, second.transcript).to.equal(0);
      expect(second.lines.join('\n')).to.match(/desktop .+100% (\d+)\/\1 bytes/);
      expect(Number(/^bytes=(\d+)-$/.exec(proxy.ranges[0] ?? '')?.[1])).to.be.at.least(900_000);
      expectSameContent([desktop.database, join(folder, 'app.db')], { words: ['id'] });
    });
  });

  it('counts as a copy where the source has pruned since, or can not be reached', async () => {
    add(desktop, 'd', 10);
    await desktop.start();
    const proxy = await cuttingProxy(desktop.address, [], Infinity, ['/sync/changes']);
    const folder = scratchFolder();
    const { code, stdout, stderr } = await runCli(cloneArgs(folder, proxy.address));
    expect(code, stderr).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.include({ copy: true, pulled: null });
    expect(stderr).to.include('the first pull failed');
    expect(queryRow(join(folder, 'app.db'), 'SELECT renewed FROM _sync_replica')).to.deep.equal([1]);
  });

  it('refuses what it must not overwrite, and where nothing answers as it should', async () => {
    await desktop.start();
    const folder = scratchFolder();
    const refused = async (args: readonly string[], status: number, message: string): Promise<void> => {
      const { code, stderr } = await runCli(args);
      expect(stderr).to.include(message);
      expect(code, message).to.equal(status);
    };
    for (const name of ['app.db', 'app.db-wal']) {
      const taken = scratchFolder();
      writeFileSync(join(taken, name), '');
      await refused(cloneArgs(taken), 1, `${name} exists already`);
    }
    const configured = scratchFolder();
    writeFileSync(join(configured, 'sync-config.yaml'), 'kept: true');
    await refused(cloneArgs(configured), 1, 'sync-config.yaml exists already');
    expect(readFileSync(join(configured, 'sync-config.yaml'), 'utf8')).to.equal('kept: true');
    expect((await clone(configured, '--force')).copy).to.equal(false);

    const own = cloneArgs(folder).map((word) => (word === 'tablet' ? 'desktop' : word));
    await refused(own, 2, '--node desktop is the node id of the replica at');
    await refused(cloneArgs(folder, 'nowhere'), 2, 'is no address');
    await refused(cloneArgs(folder, `127.0.0.1:${await freePort()}`), 1, "can't be reached");
    await refused(cloneArgs(folder, desktop.address, '--listen', '0.0.0.0:8091'), 2, 'needs a key');
    const stranger = createServer((_request, response) => response.end('{"hello":"world"}'));
    servers.push(stranger);
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const { port } = stranger.address() as { port: number };
    await refused(cloneArgs(folder, `127.0.0.1:${port}`), 1, 'is no sqlite-p2p-sync');
    mkdirSync(join(folder, 'sub'));
    expect(existsSync(join(folder, 'app.db.unfinished'))).to.equal(false);
  });

  it('needs the key of the group, from the variable that it is told', async () => {
    add(desktop, 'd', 3);
    const daemon = startCli(['start', '--config', desktop.configFile], { env: { SYNC_API_KEY: KEY } });
    daemons.push(daemon);
    await daemon.line((line) => line.includes('"listening"'), 'line that it listens');
    const folder = scratchFolder();
    const none = await runCli(cloneArgs(folder));
    expect([none.code, none.stderr]).to.satisfy(
      ([code, text]: [number, string]) => code === 1 && text.includes('refused us'),
    );
    const env = { GROUP_KEY: KEY };
    await runCliWell(cloneArgs(folder, desktop.address, '--key-env', 'GROUP_KEY'), { env });
    const text = readFileSync(join(folder, 'sync-config.yaml'), 'utf8');
    expect(text)
      .to.match(/^ {2}api_key_env: GROUP_KEY$/m)
      .and.not.to.include(KEY);
    expectSameContent([desktop.database, join(folder, 'app.db')], { words: ['id'] });
  });

  /** Forwards to a replica; cuts the n-th snapshot after so many bytes, or stalls after `stallAt`; breaks some paths. */
  async function cuttingProxy(
    target: string,
    cuts: readonly number[],
    stallAt = Infinity,
    broken: readonly string[] = [],
  ) {
    const ranges: (string | undefined)[] = [];
    const proxy = createServer((incoming, outgoing) => {
      const path = incoming.url ?? '';
      if (broken.some((start) => path.startsWith(start))) {
        outgoing.destroy();
        return;
      }
      const isSnapshot = path.startsWith('/sync/snapshot');
      const cut = isSnapshot ? (cuts[ranges.length] ?? Infinity) : Infinity;
      if (isSnapshot) ranges.push(incoming.headers.range);
      const headers = { ...incoming.headers };
      delete headers.host;
      const forwarded = httpRequest(target + path, { headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        let sent = 0;
        answer.on('data', (chunk: Buffer) => {
          if (isSnapshot && sent > stallAt) return;
          sent += chunk.length;
          outgoing.write(chunk);
          if (sent >= cut) outgoing.destroy();
        });
        answer.on('end', () => {
          if (!isSnapshot || sent <= stallAt) outgoing.end();
        });
        answer.on('error', () => outgoing.destroy());
      });
      outgoing.on('close', () => forwarded.destroy());
      forwarded.on('error', () => outgoing.destroy());
      forwarded.end();
    });
    servers.push(proxy);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as { port: number };
    return { address: `127.0.0.1:${port}`, ranges };
  }
});
