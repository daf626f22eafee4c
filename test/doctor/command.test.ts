import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import type { DoctorReport } from '#src/commands/doctor-text.js';
import { markFileOf } from '#src/changelog/mark-file.js';
import { asNode, freePort, sendJson, servePeer } from '../pull/peer-server.js';
import { runMain } from '../cli/captured.js';
import { runCli, startCli } from '../replication/command-line.js';
import type { Program } from '../replication/program.js';
import { scratchFolder } from '../scratch.js';
import { addWords, createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';
import { diagnose, expectFinding, reconfigure } from './diagnosis.js';

describe('The doctor command', function () {
  this.timeout(60_000);
  const closing: (() => unknown)[] = [];
  let port: number;
  let ann: DatabaseFile;

  beforeEach(async () => {
    port = await freePort();
    ann = await create('ann', { port });
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  async function create(...args: Parameters<typeof createDatabaseFile>): Promise<DatabaseFile> {
    const file = await createDatabaseFile(...args);
    closing.push(() => file.app.close());
    return file;
  }

  async function start(env: Readonly<Record<string, string>> = {}): Promise<Program> {
    const daemon = startCli(['start', '--config', ann.file], { env });
    closing.push(() => daemon.end('SIGTERM'));
    await daemon.line((line) => line.includes('listening'), 'line that it listens');
    return daemon;
  }

  it('ends with 0 where all is well, without a daemon and with one', async () => {
    const alone = await runCli(['doctor', '--config', ann.file]);
    expect(alone.code, alone.stdout).to.equal(0);
    expect(alone.stdout).to.include('no daemon runs').and.include('0 errors, 0 warnings.');
    await start();
    const beside = await runCli(['doctor', '--config', ann.file]);
    expect(beside.code, beside.stdout).to.equal(0);
    expect(beside.stdout).to.include('the daemon answers at').and.include('0 errors, 0 warnings.');
  });

  it('ends with 0 where something is only to be looked at, and with 1 where replication stops', async () => {
    addWords(ann.app, 'a');
    const warned = await runCli(['doctor', '--config', ann.file]);
    expect(warned.code).to.equal(0);
    expect(warned.stdout).to.include('0 errors, 1 warning.');
    reconfigure(ann.file, { peers: [{ name: 'bob', address: `127.0.0.1:${await freePort()}` }] });
    const stopped = await runCli(['doctor', '--config', ann.file]);
    expect(stopped.code).to.equal(1);
    expect(stopped.stdout).to.include('1 error, 1 warning. Replication stops at errors.');
  });

  it('ends with 2 on a faulty configuration, and lists its faults', async () => {
    writeFileSync(ann.file, 'node: { id: ann, listen: 0.0.0.0:8091 }\nsync: { page_size: 0 }\n');
    const { code, stdout, stderr } = await runCli(['doctor', '--config', ann.file]);
    expect(code).to.equal(2);
    expect(stdout).to.equal('');
    expect(stderr).to.include('page_size').and.include('SYNC_API_KEY');
  });

  it('prints no line longer than 80 columns, and no colour but on a terminal', async () => {
    reconfigure(ann.file, {
      tables: [{ name: 'words' }, { name: 'n'.repeat(90) }, { name: 'a\u001b[31mred' }],
      peers: [{ name: 'bob', address: `127.0.0.1:${await freePort()}` }],
      database: { path: `${scratchFolder()}/${'deep/'.repeat(20)}app.db` },
    });
    const missing = await runCli(['doctor', '--config', ann.file]);
    reconfigure(ann.file, { database: { path: './app.db' } });
    const { code, stdout } = await runCli(['doctor', '--config', ann.file]);
    expect([missing.code, code]).to.deep.equal([1, 1]);
    expect(missing.stdout).to.include('Not looked at');
    for (const line of [...missing.stdout.split('\n'), ...stdout.split('\n')]) {
      expect(line.length, line).to.be.at.most(80);
    }
    expect(stdout.replace(/\n +/g, '')).to.include('n'.repeat(90));
    expect(stdout).to.not.include('\u001b');
  });

  it('prints one JSON document with --json', async () => {
    const { stdout } = await runMain(['doctor', '--json', '--config', ann.file]);
    const report = JSON.parse(stdout) as DoctorReport;
    expect(report).to.include({ node: 'ann', running: false, errors: 0, warnings: 0 });
    expect(report).to.have.all.keys('node', 'running', 'errors', 'warnings', 'findings', 'left_out');
    for (const finding of report.findings)
      expect(finding).to.have.all.keys('check', 'level', 'message', 'fix');
    const names = report.findings.map(({ check }) => check);
    expect(new Set(names).size).to.equal(names.length);
  });

  it('writes nothing to the database, with a fault or without', async () => {
    addWords(ann.app, 'a');
    const path = ann.config.database.path;
    const state = () => [
      ...['', '-wal', '-sync-mark'].map((end) =>
        existsSync(path + end)
          ? createHash('sha256')
              .update(readFileSync(path + end))
              .digest('hex')
          : null,
      ),
      ann.app.pragma('data_version', { simple: true }),
    ];
    const before = state();
    await diagnose(ann.file);
    ann.app.exec('DROP TRIGGER _sync_words_delete');
    const damaged = state();
    await diagnose(ann.file);
    expect(state()).to.deep.equal(damaged);
    expect(before[3]).to.equal(damaged[3]);
  });

  it('raises no false alarm while the application writes and the daemon folds', async () => {
    await start();
    for (let round = 0; round < 20; round += 1) {
      addWords(ann.app, ...Array.from({ length: 50 }, (_, n) => `${round}-${n}`));
      const { findings } = await diagnose(ann.file);
      expect(findings.filter(({ level }) => level !== 'ok')).to.deep.equal([]);
    }
  });

  it('names who else listens on the port', async () => {
    const other = await servePeer(
      asNode('other', () => undefined),
      port,
    );
    await expectFinding(ann.file, 'port', 'error', 'belongs to replica "other"', 'another port');
    await other.close();
    const silent = await servePeer((_request, response) => sendJson(response, { hello: 'world' }), port);
    await expectFinding(ann.file, 'port', 'error', 'belongs to another program', 'another port');
    await silent.close();
    await expectFinding(ann.file, 'port', 'ok', 'is free for it');
    reconfigure(ann.file, { node: { listen: '127.0.0.1:0' } });
    await expectFinding(ann.file, 'port', 'ok', 'any free port');
  });

  it('names an address that is not of this machine', async () => {
    // the block of the documentation: nobody has it
    reconfigure(ann.file, {
      node: { listen: '192.0.2.1:8091' },
      security: { api_key_env: 'DOCTOR_TEST_KEY' },
    });
    reconfigure(ann.file, { network: { connect_timeout: '200ms' } });
    const { code, stdout } = await runCli(['doctor', '--json', '--config', ann.file], {
      env: { DOCTOR_TEST_KEY: 'Zq3-8dP_xv0Lr7TnKc2WmYb5JhGf9SaEu1RoQi4' },
    });
    expect(code).to.equal(1);
    const { findings } = JSON.parse(stdout) as DoctorReport;
    const said = findings.find(({ check }) => check === 'port');
    expect(said?.level).to.equal('error');
    expect(said?.message).to.include("can't listen on 192.0.2.1:8091");
  });

  it('names a daemon of another version, or with another key', async () => {
    const daemon = await servePeer(
      asNode('ann', (_request, response) => sendJson(response, { version: '0.0.9', peers: [] })),
      port,
    );
    await expectFinding(ann.file, 'port', 'error', 'is of version 0.0.9', 'again');
    await daemon.close();
    await start({ SYNC_API_KEY: 'Zq3-8dP_xv0Lr7TnKc2WmYb5JhGf9SaEu1RoQi4' });
    await expectFinding(ann.file, 'port', 'warning', 'does not tell how it is', 'key');
  });

  it("says why the daemon's pulls fail", async () => {
    reconfigure(ann.file, { peers: [{ name: 'bob', address: `127.0.0.1:${await freePort()}` }] });
    const daemon = await start();
    await daemon.line((line) => line.includes('lost'), 'line that the peer is lost');
    await expectFinding(ann.file, 'pulls', 'warning', "the daemon's last pull from bob failed", 'firewall');
  });

  it('names a file that is no longer what the running daemon left', async () => {
    await start();
    await expectFinding(ann.file, 'mark_file', 'ok', 'agrees');
    rmSync(markFileOf(ann.config.database.path));
    await expectFinding(ann.file, 'mark_file', 'error', 'while the daemon runs', 'Stop the daemon');
  });

  it('names a resolver that can not be loaded', async () => {
    const folder = scratchFolder();
    reconfigure(ann.file, { sync: { conflict_resolution: 'custom', resolver: `${folder}/resolver.mjs` } });
    writeFileSync(`${folder}/resolver.mjs`, 'export default (local) => local;');
    await expectFinding(ann.file, 'resolvers', 'ok', 'loaded, for words');
    writeFileSync(`${folder}/broken.mjs`, 'export default 5;');
    reconfigure(ann.file, { sync: { resolver: `${folder}/broken.mjs` } });
    await expectFinding(ann.file, 'resolvers', 'error', 'has no function', 'export default');
  });
});
