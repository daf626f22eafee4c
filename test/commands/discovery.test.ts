import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import type { NodesReport, StatusReport } from '#src/replica/status.js';
import { freePort } from '../pull/peer-server.js';
import { runCli, startCli } from '../replication/command-line.js';
import { until } from '../replication/group.js';
import type { Program } from '../replication/program.js';
import { addWords, createDatabaseFile, wordsOf, type DatabaseFile } from '../stand-ins/database-file.js';

const KEY = 'the-key-of-this-group-of-replicas-000';

interface Machine extends DatabaseFile {
  readonly node: string;
  readonly port: number;
}

/** Real daemons, real multicast on the loopback interface. */
describe('daemons that discovery brings together', function () {
  this.timeout(60_000);
  const group = randomBytes(3).toString('hex');
  const machines: Machine[] = [];
  const daemons: Program[] = [];
  afterEach(async () => {
    await Promise.all(daemons.splice(0).map((daemon) => daemon.end('SIGTERM')));
    for (const { app } of machines.splice(0)) app.close();
  });

  /** A peer without an address is one that has to be found. */
  async function machine(name: string, peers: readonly (string | { name: string; address: string })[] = []) {
    const node = `${name}-${group}`;
    const port = await freePort();
    const file = await createDatabaseFile(node, { port });
    const names = peers.map((peer) => (typeof peer === 'string' ? { name: `${peer}-${group}` } : peer));
    configure(file, (text) =>
      text
        .replace('peers: []', `# who we pull from\npeers: ${JSON.stringify(names)}`)
        .replace('network:\n', 'network:\n  discovery: true\n  discovery_interface: 127.0.0.1\n'),
    );
    const made: Machine = { ...file, node, port };
    machines.push(made);
    return made;
  }

  async function start({ file }: DatabaseFile, key: string | undefined = KEY): Promise<Program> {
    const daemon = startCli(['start', '--config', file], { env: { SYNC_API_KEY: key } });
    daemons.push(daemon);
    await daemon.line((line) => line.includes('listening'), 'line that it listens');
    return daemon;
  }

  const run = ({ file }: DatabaseFile, ...args: string[]) =>
    runCli([...args, '--config', file], { env: { SYNC_API_KEY: KEY } });

  async function statusOf(of: DatabaseFile): Promise<StatusReport> {
    return JSON.parse((await run(of, 'status', '--json')).stdout) as StatusReport;
  }

  async function ask<T>({ port }: Machine, path: string): Promise<T> {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'x-api-key': KEY } });
    return (await answer.json()) as T;
  }

  it('replicates between two that name each other without an address, and never from a third that nobody accepted', async () => {
    const a = await machine('a', ['b']);
    const b = await machine('b', ['a']);
    const c = await machine('c');
    addWords(a.app, 'from a');
    addWords(b.app, 'from b');
    addWords(c.app, 'from c');
    await Promise.all([a, b, c].map((each) => start(each)));
    await until(() => wordsOf(a.app).length === 2 && wordsOf(b.app).length === 2, 'both words on both');
    await until(async () => (await statusOf(a)).found.some(({ node }) => node === c.node), 'the third found');

    const report = await statusOf(a);
    const states = new Map(report.found.map(({ node, state }) => [node, state]));
    expect([states.get(b.node), states.get(c.node)]).to.deep.equal(['configured', 'found']);
    expect(report.peers).to.have.length(1);
    expect(report.peers[0]).to.include({
      name: b.node,
      address: null,
      found_at: `http://127.0.0.1:${b.port}`,
    });
    const { nodes } = await ask<NodesReport>(a, '/nodes');
    expect(nodes.map(({ id, state }) => [id, state])).to.deep.include.members([
      [a.node, 'self'],
      [b.node, 'configured'],
      [c.node, 'found'],
    ]);
    const { stdout } = await run(a, 'status');
    expect(stdout).to.contain(`${c.node} is not pulled from`).and.to.contain(`peers accept ${c.node}`);

    // what the third serves is asked for by nobody
    expect((await ask<StatusReport>(c, '/sync/status')).peers).to.deep.equal([]);
    expect(wordsOf(a.app)).to.deep.equal(['from a', 'from b']);
    expect(wordsOf(b.app)).to.deep.equal(['from a', 'from b']);
  });

  it('pulls from a found one that a person accepts, without a restart, and notes it in the configuration', async () => {
    const a = await machine('a');
    const b = await machine('b');
    addWords(b.app, 'from b');
    await start(a);
    await start(b);
    await until(async () => (await statusOf(a)).found.some(({ node }) => node === b.node), 'the other found');
    expect(wordsOf(a.app)).to.deep.equal([]);

    const accepted = await run(a, 'peers', 'accept', b.node);
    expect(accepted.code, accepted.stderr).to.equal(0);
    expect(accepted.stdout).to.contain('The daemon pulls from it now');
    await until(() => wordsOf(a.app).length === 1, 'the word of the accepted one');
    const text = readFileSync(a.file, 'utf8');
    expect(text)
      .to.contain('# who we pull from')
      .and.to.match(new RegExp(`- name: ${b.node}\n`));
    const again = await run(a, 'peers', 'accept', b.node, '--json');
    expect(JSON.parse(again.stdout)).to.deep.equal({ accepted: b.node, entered: false, pulling: true });
  });

  it('does not accept one that nobody announces, nor one with another key', async () => {
    const a = await machine('a');
    const b = await machine('b');
    await start(a);
    await start(b, 'the-key-of-another-group-of-replicas-0');
    const unknown = await run(a, 'peers', 'accept', `nobody-${group}`);
    expect(unknown.code).to.equal(2);
    expect(unknown.stderr).to.contain(`no replica "nobody-${group}" was found`);
    await until(async () => (await statusOf(a)).found.some(({ node }) => node === b.node), 'the other found');
    const before = readFileSync(a.file, 'utf8');
    const foreign = await run(a, 'peers', 'accept', b.node);
    expect(foreign.code).to.equal(1);
    expect(foreign.stderr).to.contain('does not prove that it knows our key');
    expect(readFileSync(a.file, 'utf8')).to.equal(before);
  });

  it('finds a configured peer again whose address changed', async () => {
    const b = await machine('b');
    const a = await machine('a', [{ name: b.node, address: `127.0.0.1:${b.port}` }]);
    addWords(b.app, 'before');
    await start(b);
    const daemon = await start(a);
    await until(() => wordsOf(a.app).length === 1, 'the first word');
    await daemons.splice(0, 1)[0]?.end('SIGTERM');
    const moved = { ...b, port: await freePort() };
    configure(b, (text) => text.replace(`127.0.0.1:${b.port}`, `127.0.0.1:${moved.port}`));
    await run(a, 'trigger', b.node);
    await daemon.line((line) => line.includes('peer is lost'), 'that the peer is lost');
    addWords(b.app, 'after');
    await start(b);
    // announced, found, and pulled from at once: the interval and the probe are an hour
    await until(() => wordsOf(a.app).length === 2, 'the second word');
    await daemon.line((line) => line.includes('peer is at another address'), 'that it moved');
    const [peer] = (await statusOf(a)).peers;
    expect(peer).to.include({
      address: `http://127.0.0.1:${b.port}`,
      found_at: `http://127.0.0.1:${moved.port}`,
    });
  });

  it('is also found by a command without a daemon', async () => {
    const a = await machine('a', ['b']);
    const b = await machine('b', ['a']);
    addWords(b.app, 'from b');
    await start(b);
    const { code, stderr } = await run(a, 'sync');
    expect(code, stderr).to.equal(0);
    expect(wordsOf(a.app)).to.deep.equal(['from b']);
    const doctor = await run(a, 'doctor', '--json');
    expect(doctor.stdout).to.contain(`${b.node} (found by discovery) answers`);
  });
});

function configure({ file }: Pick<DatabaseFile, 'file'>, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}
