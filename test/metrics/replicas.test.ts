import { expect } from 'chai';
import { execute } from '../replication/content.js';
import { ReplicaGroup, until, type Replica } from '../replication/group.js';
import { parseExposition, type Exposition } from './exposition.js';

const PREFIX = 'sqlite_p2p_sync_';

async function metricsOf(replica: Replica): Promise<Exposition> {
  const answer = await replica.fetch('/metrics');
  expect(answer.status).to.equal(200);
  return parseExposition(await answer.text());
}

/** The counters by peer, those that are not 0, e.g. `changes_pulled_total laptop: 3`. */
function countersOf(metrics: Exposition, peer: string): Record<string, number> {
  const names = ['pulled', 'applied', 'skipped', 'quarantined'].map((what) => `changes_${what}_total`);
  const counted = [...names, 'conflicts_total', 'propagation_seconds_count'].map(
    (name) => [name, metrics.sample(PREFIX + name, { peer })] as const,
  );
  return Object.fromEntries(counted.filter((entry): entry is [string, number] => entry[1] !== 0));
}

function own(metrics: Exposition, ...names: readonly string[]): (number | undefined)[] {
  return names.map((name) => metrics.sample(PREFIX + name));
}

function pullsOf(metrics: Exposition, peer: string): Record<string, number> {
  const ofPeer = metrics.samples(`${PREFIX}pulls_total`).filter(({ labels }) => labels.peer === peer);
  return Object.fromEntries(ofPeer.map(({ labels, value }) => [labels.result ?? '', value]));
}

describe('The metrics of replicas', function () {
  this.timeout(60_000);
  let group: ReplicaGroup;
  let desktop: Replica;
  let laptop: Replica;

  before(async () => {
    group = await ReplicaGroup.create({
      tables: [{ name: 'words' }],
      peers: { desktop: ['laptop', 'gone'], laptop: ['desktop'], gone: [] },
      settings: { network: { breaker_failures: 1, breaker_cooldown: '1h', reconnect_interval: '500ms' } },
    });
    desktop = group.replica('desktop');
    laptop = group.replica('laptop');
    desktop.create('CREATE TABLE words (id TEXT PRIMARY KEY, body TEXT)');
    laptop.create('CREATE TABLE words (id TEXT PRIMARY KEY, body TEXT CHECK (length(body) < 20))');
    for (const replica of [desktop, laptop]) await replica.join();
    await laptop.start();
    await laptop.logged('peer is lost');
    await desktop.start();
    await Promise.all([
      laptop.logged('pull finished'),
      desktop.logged('pull finished'),
      desktop.logged('peer is lost'),
    ]);
  });
  after(() => group.remove());

  it('are all there with 0 before anything was written', async () => {
    const metrics = await metricsOf(desktop);
    for (const peer of ['laptop', 'gone']) expect(countersOf(metrics, peer)).to.deep.equal({});
    const names = ['changes_captured_total', 'changes_folded_total', 'changes_served_total'];
    expect(own(metrics, ...names)).to.deep.equal([0, 0, 0]);
    expect(own(metrics, 'quarantine_changes', 'conflicts_open', 'key_failures_total')).to.deep.equal([
      0, 0, 0,
    ]);
  });

  it('tell how pulls have ended, and how their peers stand', async () => {
    const [ofLaptop, ofDesktop] = [await metricsOf(laptop), await metricsOf(desktop)];
    // It was started first, and found nobody.
    expect(pullsOf(ofLaptop, 'desktop')).to.deep.equal({
      success: 1,
      unreachable: 1,
      breaker_open: 0,
      failed: 0,
    });
    expect(pullsOf(ofDesktop, 'laptop')).to.deep.equal({
      success: 1,
      unreachable: 0,
      breaker_open: 0,
      failed: 0,
    });
    expect(pullsOf(ofDesktop, 'gone')).to.deep.equal({
      success: 0,
      unreachable: 1,
      breaker_open: 0,
      failed: 0,
    });
    const count = (peer: string) => ofDesktop.sample(`${PREFIX}pull_duration_seconds_count`, { peer });
    expect([count('laptop'), count('gone')]).to.deep.equal([1, 0]);
    const reachable = (peer: string) => ofDesktop.sample(`${PREFIX}peer_reachable`, { peer });
    expect([reachable('laptop'), reachable('gone')]).to.deep.equal([1, 0]);
    const breaker = ofDesktop.samples(`${PREFIX}peer_breaker_state`);
    expect(breaker.filter(({ value }) => value === 1).map(({ labels }) => labels)).to.deep.equal([
      { peer: 'laptop', state: 'closed' },
      { peer: 'gone', state: 'open' },
    ]);
    expect(ofDesktop.sample(`${PREFIX}peer_last_success_timestamp_seconds`, { peer: 'gone' })).to.equal(
      undefined,
    );
    expect(ofDesktop.sample(`${PREFIX}peer_clock_skew_seconds`, { peer: 'laptop' })).to.be.within(-1, 1);
  });

  it('follow changes from the trigger to the other table', async () => {
    const before = await metricsOf(desktop);
    execute(desktop.database, `INSERT INTO words VALUES ('a', 'x'), ('b', 'x'), ('c', 'x')`);
    execute(desktop.database, `UPDATE words SET body = 'y' WHERE id = 'a'`);
    await laptop.pull('desktop');
    const [there, here] = [await metricsOf(desktop), await metricsOf(laptop)];
    expect(countersOf(here, 'desktop')).to.deep.equal({
      changes_pulled_total: 3,
      changes_applied_total: 3,
      propagation_seconds_count: 3,
    });
    expect(own(there, 'changes_captured_total', 'changes_served_total')).to.deep.equal([4, 3]);
    // The two writes of the first row may have met one fold or two.
    expect(there.sample(`${PREFIX}changes_folded_total`)).to.be.within(3, 4);
    expect(own(here, 'changes_captured_total', 'changes_served_total')).to.deep.equal([0, 0]);
    expect(here.sample(`${PREFIX}propagation_seconds_sum`, { peer: 'desktop' })).to.be.within(0, 60);
    const all = { peer: 'desktop', le: '+Inf' };
    expect(here.sample(`${PREFIX}propagation_seconds_bucket`, all)).to.equal(3);
    const request = { route: '/sync/changes', method: 'GET', status: '200' };
    const name = `${PREFIX}http_requests_total`;
    expect((there.sample(name, request) ?? 0) - (before.sample(name, request) ?? 0)).to.equal(1);
  });

  it('count a conflict where it was met', async () => {
    execute(desktop.database, `UPDATE words SET body = 'of desktop' WHERE id = 'b'`);
    const writtenMs = Date.now();
    await until(() => Date.now() > writtenMs, 'the next millisecond');
    execute(laptop.database, `UPDATE words SET body = 'of laptop' WHERE id = 'b'`);
    await laptop.pull('desktop');
    const metrics = await metricsOf(laptop);
    expect(countersOf(metrics, 'desktop')).to.deep.equal({
      changes_pulled_total: 4,
      changes_applied_total: 3,
      changes_skipped_total: 1,
      conflicts_total: 1,
      propagation_seconds_count: 3,
    });
    expect(own(metrics, 'conflicts_open', 'changes_captured_total', 'changes_folded_total')).to.deep.equal([
      1, 1, 1,
    ]);
  });

  it('count what went into the quarantine, and show what is still there', async () => {
    execute(desktop.database, `INSERT INTO words VALUES ('long', 'longer than the laptop allows')`);
    await laptop.pull('desktop');
    const held = await metricsOf(laptop);
    expect(held.sample(`${PREFIX}changes_quarantined_total`, { peer: 'desktop' })).to.equal(1);
    expect(own(held, 'quarantine_changes')).to.deep.equal([1]);
    execute(desktop.database, `UPDATE words SET body = 'short' WHERE id = 'long'`);
    await laptop.pull('desktop');
    const released = await metricsOf(laptop);
    expect(countersOf(released, 'desktop')).to.deep.equal({
      changes_pulled_total: 6,
      changes_applied_total: 4,
      changes_skipped_total: 1,
      changes_quarantined_total: 1,
      conflicts_total: 1,
      propagation_seconds_count: 4,
    });
    expect(own(released, 'quarantine_changes')).to.deep.equal([0]);
  });

  it('count a pull that was asked for in vain', async () => {
    const from = desktop.log.length;
    await desktop.fetch('/sync/trigger', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ peer: 'gone' }),
    });
    await desktop.logged('pull started', ({ peer }) => peer === 'gone', from);
    await until(
      async () => pullsOf(await metricsOf(desktop), 'gone').unreachable === 2,
      'a second pull that found nobody',
    );
    expect(pullsOf(await metricsOf(desktop), 'gone')).to.deep.include({
      success: 0,
      failed: 0,
      breaker_open: 0,
    });
  });

  it('say the same as status', async () => {
    const [metrics, status] = [await metricsOf(laptop), await laptop.status()];
    expect(
      own(metrics, 'changes_unfolded', 'quarantine_changes', 'conflicts_open', 'database_bytes'),
    ).to.deep.equal([status.unfolded, status.quarantined, status.conflicts, status.database_bytes]);
    const [peer] = status.peers;
    const ofPeer = (name: string) => metrics.sample(PREFIX + name, { peer: 'desktop' });
    expect(ofPeer('peer_changes_behind')).to.equal(peer?.behind);
    expect(ofPeer('peer_last_success_timestamp_seconds')).to.equal((peer?.pull?.last_success_ms ?? 0) / 1000);
    expect(ofPeer('peer_clock_skew_seconds')).to.equal((peer?.pull?.skew_ms ?? 0) / 1000);
  });
});
