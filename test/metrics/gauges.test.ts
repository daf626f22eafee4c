import { expect } from 'chai';
import type { GaugedPeer, GaugedStatus } from '#src/metrics/gauges.js';
import { createMetrics } from '#src/metrics/metrics.js';
import { parseExposition } from './exposition.js';

const PULL = {
  lost: false,
  failing: false,
  live: true,
  breaker: 'closed',
  last_success_ms: null,
  skew_ms: null,
} as const;
const PEER: GaugedPeer = { name: 'laptop', direction: 'pull', behind: null, pull: PULL, offered: null };
const STATUS: GaugedStatus = {
  node: 'desktop',
  version: '1.2.3',
  unfolded: 0,
  quarantined: 0,
  conflicts: 0,
  database_bytes: 4096,
  wal_bytes: 0,
  disk_free_bytes: 5_000,
  peers: [PEER],
  found: [],
};

describe('The gauges', () => {
  const metrics = createMetrics(['laptop']);
  const read = async (status: Partial<GaugedStatus>) =>
    parseExposition((await metrics.text({ ...STATUS, ...status })).body);

  it('have no sample for what is not known, or not any more', async () => {
    const disk = 'sqlite_p2p_sync_disk_free_bytes';
    expect((await read({})).sample(disk)).to.equal(5_000);
    expect((await read({ disk_free_bytes: null })).samples(disk)).to.deep.equal([]);
    expect((await read({})).sample(disk)).to.equal(5_000);
    const behind = 'sqlite_p2p_sync_peer_changes_behind';
    expect((await read({})).samples(behind)).to.deep.equal([]);
    expect((await read({ peers: [{ ...PEER, behind: 7 }] })).sample(behind, { peer: 'laptop' })).to.equal(7);
    expect((await read({})).samples(behind)).to.deep.equal([]);
  });

  it('leave out who only pulls from this replica', async () => {
    const stranger = { ...PEER, name: 'stranger', direction: null, behind: 7, pull: null };
    const labels = (await read({ peers: [PEER, stranger] }))
      .samples('sqlite_p2p_sync_peer_reachable')
      .map(({ labels }) => labels.peer);
    expect(labels).to.deep.equal(['laptop']);
  });

  it('say how a peer stands, in seconds', async () => {
    const pull = { ...PULL, lost: true, failing: true, last_success_ms: 1_500, skew_ms: -250 };
    const text = await read({ peers: [{ ...PEER, pull: { ...pull, breaker: 'half_open' } }] });
    const ofPeer = (name: string) => text.sample(`sqlite_p2p_sync_peer_${name}`, { peer: 'laptop' });
    const names = ['reachable', 'failing', 'live', 'last_success_timestamp_seconds', 'clock_skew_seconds'];
    expect(names.map(ofPeer)).to.deep.equal([0, 1, 1, 1.5, -0.25]);
    const states = text.samples('sqlite_p2p_sync_peer_breaker_state');
    expect(states.map(({ labels, value }) => [labels.state, value])).to.deep.equal([
      ['closed', 0],
      ['half_open', 1],
      ['open', 0],
    ]);
  });

  it('tell the skew of a peer without an address, which its offers have told', async () => {
    const skew = async (peer: Partial<GaugedPeer>) =>
      (await read({ peers: [{ ...PEER, ...peer }] }))
        .samples('sqlite_p2p_sync_peer_clock_skew_seconds')
        .map(({ value }) => value);
    expect(await skew({ pull: null, offered: { skew_ms: 1_500 } })).to.deep.equal([1.5]);
    expect(await skew({ offered: { skew_ms: 1_500 } }), 'found, and not pulled from yet').to.deep.equal([
      1.5,
    ]);
    expect(await skew({ pull: { ...PULL, skew_ms: 20 }, offered: { skew_ms: 1_500 } })).to.deep.equal([0.02]);
    expect(await skew({ pull: null, offered: { skew_ms: null } })).to.deep.equal([]);
  });

  it('count node ids that were found, however often each was announced', async () => {
    const found = [
      { node: 'laptop', state: 'configured' },
      { node: 'phone', state: 'found' },
      { node: 'phone', state: 'found' },
    ] as const;
    const counts = (await read({ found })).samples('sqlite_p2p_sync_discovered_replicas');
    expect(counts.map(({ labels, value }) => [labels.state, value])).to.deep.equal([
      ['configured', 1],
      ['found', 1],
    ]);
  });
});

describe('Two replicas in one process', () => {
  it('count each for itself', async () => {
    const [one, other] = [createMetrics([]), createMetrics([])];
    one.folded({ entries: 3, versions: 2 });
    const captured = async (metrics: typeof one) =>
      parseExposition((await metrics.text(STATUS)).body).sample('sqlite_p2p_sync_changes_captured_total');
    expect([await captured(one), await captured(other)]).to.deep.equal([3, 0]);
  });
});
