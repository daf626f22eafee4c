import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { scriptOf } from '../docs/script.js';
import { LocalNetwork } from '../discovery/local-network.js';
import type { NodesReport, StatusReport } from '#src/replica/status.js';
import { freePort } from '../pull/peer-server.js';
import { until } from '../replication/group.js';
import { addWords, wordsOf } from '../stand-ins/database-file.js';

/** Real daemons, real multicast on the loopback interface. */
describe('daemons that discovery brings together', function () {
  this.timeout(120_000);
  const network = new LocalNetwork();
  afterEach(() => network.end());

  it('replicates between two that name each other without an address, and never from a third that nobody accepted', async () => {
    const a = await network.machine('a', { peers: ['b'] });
    const b = await network.machine('b', { peers: ['a'] });
    const c = await network.machine('c');
    addWords(a.app, 'from a');
    addWords(b.app, 'from b');
    addWords(c.app, 'from c');
    await Promise.all([a, b, c].map((each) => network.start(each)));
    await until(() => wordsOf(a.app).length === 2 && wordsOf(b.app).length === 2, 'both words on both');
    await network.found(a, c);

    const report = await network.statusOf(a);
    const states = new Map(report.found.map(({ node, state }) => [node, state]));
    expect([states.get(b.node), states.get(c.node)]).to.deep.equal(['configured', 'found']);
    expect(report.peers).to.have.length(1);
    expect(report.peers[0]).to.include({
      name: b.node,
      address: null,
      found_at: `http://127.0.0.1:${b.port}`,
    });
    const { nodes } = await network.ask<NodesReport>(a, '/nodes');
    expect(nodes.map(({ id, state }) => [id, state])).to.deep.include.members([
      [a.node, 'self'],
      [b.node, 'configured'],
      [c.node, 'found'],
    ]);
    const { stdout } = await network.run(a, 'status');
    expect(stdout).to.contain(`${c.node} is not pulled from`).and.to.contain(`peers accept ${c.node}`);

    // what the third serves is asked for by nobody
    expect((await network.ask<StatusReport>(c, '/sync/status')).peers).to.deep.equal([]);
    expect(wordsOf(a.app)).to.deep.equal(['from a', 'from b']);
    expect(wordsOf(b.app)).to.deep.equal(['from a', 'from b']);
  });

  it('pulls from a found one that a person accepts, without a restart, and notes it in the configuration', async () => {
    const a = await network.machine('a');
    const b = await network.machine('b');
    addWords(b.app, 'from b');
    await network.start(a);
    await network.start(b);
    await network.found(a, b);
    expect(wordsOf(a.app)).to.deep.equal([]);

    const command = scriptOf('docs/operations.md', 'sh run accept').replace('laptop', b.node);
    const accepted = await network.run(a, ...command.trim().split(' ').slice(1));
    expect(accepted.code, accepted.stderr).to.equal(0);
    expect(accepted.stdout).to.contain('The daemon pulls from it now');
    await until(() => wordsOf(a.app).length === 1, 'the word of the accepted one');
    const text = readFileSync(a.file, 'utf8');
    expect(text)
      .to.contain('# who we pull from')
      .and.to.match(new RegExp(`- name: ${b.node}\n`));
    const again = await network.run(a, 'peers', 'accept', b.node, '--json');
    expect(JSON.parse(again.stdout)).to.deep.equal({ accepted: b.node, entered: false, pulling: true });
  });

  it('does not accept one that nobody announces, nor one with another key', async () => {
    const a = await network.machine('a');
    const b = await network.machine('b');
    await network.start(a);
    await network.start(b, 'the-key-of-another-group-of-replicas-0');
    const unknown = await network.run(a, 'peers', 'accept', `nobody-${network.group}`);
    expect(unknown.code).to.equal(2);
    expect(unknown.stderr).to.contain(`no replica "nobody-${network.group}" was found`);
    await network.found(a, b);
    const before = readFileSync(a.file, 'utf8');
    const foreign = await network.run(a, 'peers', 'accept', b.node);
    expect(foreign.code).to.equal(1);
    expect(foreign.stderr).to.contain('does not prove that it knows our key');
    expect(readFileSync(a.file, 'utf8')).to.equal(before);
  });

  it('finds a configured peer again whose address changed', async () => {
    const b = await network.machine('b');
    const a = await network.machine('a', {
      peers: [{ name: b.node, address: `127.0.0.1:${b.port}` }],
    });
    addWords(b.app, 'before');
    const first = await network.start(b);
    const daemon = await network.start(a);
    await until(() => wordsOf(a.app).length === 1, 'the first word');
    await first.end('SIGTERM');
    const moved = network.move(b, await freePort());
    await network.run(a, 'trigger', b.node);
    await daemon.line((line) => line.includes('peer is lost'), 'that the peer is lost');
    addWords(b.app, 'after');
    await network.start(b);
    // announced, found, and pulled from at once: the interval and the probe are an hour
    await until(() => wordsOf(a.app).length === 2, 'the second word');
    await daemon.line((line) => line.includes('peer is at another address'), 'that it moved');
    const [peer] = (await network.statusOf(a)).peers;
    expect(peer).to.include({
      address: `http://127.0.0.1:${b.port}`,
      found_at: `http://127.0.0.1:${moved.port}`,
    });
  });

  it('feeds one that has no address here over its own connections, wherever it finds it', async () => {
    const a = await network.machine('a', { peers: [{ name: `b-${network.group}`, direction: 'both' }] });
    const b = await network.machine('b', { peers: ['a'] });
    addWords(a.app, 'from a');
    await network.start(b);
    await network.start(a);
    const offered = async () => (await network.statusOf(a)).peers[0]?.offer?.last_success_ms ?? null;
    await until(async () => (await offered()) !== null, 'an offer that was taken');
    expect(wordsOf(b.app)).to.deep.equal(['from a']);
    const [peer] = (await network.statusOf(a)).peers;
    expect(peer).to.include({ address: null, direction: 'both', found_at: `http://127.0.0.1:${b.port}` });
  });

  it('is also found by a command without a daemon', async () => {
    const a = await network.machine('a', { peers: ['b'] });
    const b = await network.machine('b', { peers: ['a'] });
    addWords(b.app, 'from b');
    await network.start(b);
    const { code, stderr } = await network.run(a, 'sync');
    expect(code, stderr).to.equal(0);
    expect(wordsOf(a.app)).to.deep.equal(['from b']);
    const doctor = await network.run(a, 'doctor', '--json');
    expect(doctor.stdout).to.contain(`${b.node} (found by discovery) answers`);
  });
});
