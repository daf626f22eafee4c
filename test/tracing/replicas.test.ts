import { expect } from 'chai';
import { execute } from '../replication/content.js';
import { ReplicaGroup, freePorts, type Replica } from '../replication/group.js';
import { Collector, type CollectedSpan } from './collector.js';

/** Two replicas that send their spans there, each batch after so long. */
async function tracedPair(endpoint: string, delayMs: number): Promise<[ReplicaGroup, Replica, Replica]> {
  const group = await ReplicaGroup.create({
    tables: [{ name: 'words' }],
    peers: { desktop: [], laptop: ['desktop'] },
    settings: { tracing: { otlp_endpoint: endpoint } },
  });
  for (const replica of group.replicas) {
    replica.create('CREATE TABLE words (id TEXT PRIMARY KEY, body TEXT)');
    await replica.join();
    replica.environment = { OTEL_BSP_SCHEDULE_DELAY: String(delayMs) };
    await replica.start();
  }
  const [desktop, laptop] = [group.replica('desktop'), group.replica('laptop')];
  await laptop.logged('pull finished');
  return [group, desktop, laptop];
}

describe('The traces of replicas', function () {
  this.timeout(60_000);
  let collector: Collector;
  let group: ReplicaGroup;

  beforeEach(async () => {
    collector = await Collector.listen();
  });
  afterEach(async () => {
    await group.remove();
    collector.close();
  });

  it('follow a pull to the peer that answers it, and are all sent when the daemons stop', async () => {
    const [made, desktop, laptop] = await tracedPair(collector.endpoint, 60_000);
    group = made;
    execute(desktop.database, `INSERT INTO words VALUES ('a', 'not to be told'), ('b', 'x'), ('c', 'x')`);
    await laptop.pull('desktop');
    expect(collector.requests, 'in one batch, later').to.equal(0);
    await Promise.all([laptop.stop(), desktop.stop()]);

    const pulls = collector.of('laptop', 'pull');
    const pull = one(pulls.filter(({ attributes }) => attributes['sync.applied'] === 3));
    expect(pull).to.include({ parentSpanId: '', kind: 1, status: 0 });
    expect(pull.attributes).to.deep.equal({
      'sync.peer': 'desktop',
      'sync.pages': 1,
      'sync.received': 3,
      'sync.applied': 3,
      'sync.conflicts': 0,
      'sync.quarantined': 0,
    });
    const inPull = (span: string) =>
      collector.spans.filter(({ traceId, name }) => traceId === pull.traceId && name === span);
    const request = one(inPull('page request'));
    expect(request).to.include({ node: 'laptop', parentSpanId: pull.spanId, kind: 3 });
    const served = one(inPull('serve page'));
    expect(served).to.include({ node: 'desktop', parentSpanId: request.spanId, kind: 2 });
    const { 'sync.page_bytes': bytes, ...told } = served.attributes;
    expect(told).to.deep.equal({ 'sync.peer': 'laptop', 'sync.page_size': 1000, 'sync.changes': 3 });
    expect(bytes).to.be.above(300);
    expect(request.attributes).to.deep.equal({
      'sync.peer': 'desktop',
      'sync.page_size': 1000,
      'sync.page_bytes': bytes,
    });
    const apply = one(inPull('apply'));
    expect(apply).to.include({ node: 'laptop', parentSpanId: pull.spanId });
    expect(apply.attributes).to.include({ 'sync.received': 3, 'sync.applied': 3, 'sync.conflicts': 0 });
    // A fold that the watch on commits has asked for a moment before serves this page too.
    const servedIds = collector.of('desktop', 'serve page').map(({ spanId }) => spanId);
    const folds = collector.of('desktop', 'fold');
    expect(folds.filter(({ parentSpanId }) => servedIds.includes(parentSpanId))).to.not.be.empty;
    const versions = folds.map(({ attributes }) => Number(attributes['sync.versions']));
    expect(versions.reduce((sum, made) => sum + made, 0)).to.equal(3);
    expect(collector.sent).to.not.contain('not to be told');
  });

  it('follow an offer to the peer that takes it', async () => {
    group = await ReplicaGroup.create({
      tables: [{ name: 'words' }],
      peers: { desktop: ['laptop'], laptop: ['desktop'] },
      firewalled: ['laptop'],
      settings: { tracing: { otlp_endpoint: collector.endpoint } },
    });
    const [desktop, laptop] = [group.replica('desktop'), group.replica('laptop')];
    for (const replica of group.replicas) {
      replica.create('CREATE TABLE words (id TEXT PRIMARY KEY, body TEXT)');
      await replica.join();
    }
    execute(laptop.database, `INSERT INTO words VALUES ('a', 'not to be told'), ('b', 'x')`);
    for (const replica of group.replicas) await replica.start();
    await laptop.logged('offer finished');
    await Promise.all([laptop.stop(), desktop.stop()]);

    const offers = collector.of('laptop', 'offer');
    const offer = one(offers.filter(({ attributes }) => attributes['sync.applied'] === 2));
    expect(offer).to.include({ parentSpanId: '', kind: 1, status: 0 });
    expect(offer.attributes).to.deep.equal({
      'sync.peer': 'desktop',
      'sync.pages': 1,
      'sync.received': 2,
      'sync.applied': 2,
      'sync.conflicts': 0,
      'sync.quarantined': 0,
    });
    const inOffer = (span: string) =>
      one(collector.spans.filter(({ traceId, name }) => traceId === offer.traceId && name === span));
    const sent = inOffer('page offer');
    expect(sent).to.include({ node: 'laptop', parentSpanId: offer.spanId, kind: 3 });
    const { 'sync.page_bytes': bytes } = sent.attributes;
    expect(bytes).to.be.above(200);
    expect(sent.attributes).to.deep.equal({ 'sync.peer': 'desktop', 'sync.page_bytes': bytes });
    const taken = inOffer('take page');
    expect(taken).to.include({ node: 'desktop', parentSpanId: sent.spanId, kind: 2 });
    expect(taken.attributes).to.deep.equal({ 'sync.peer': 'laptop', 'sync.page_bytes': bytes });
    expect(inOffer('apply')).to.include({ node: 'desktop', parentSpanId: taken.spanId });
    expect(collector.sent).to.not.contain('not to be told');
  });

  it('tell of a pull that failed, by the code of its error', async () => {
    const [made, desktop, laptop] = await tracedPair(collector.endpoint, 50);
    group = made;
    await desktop.stop();
    await laptop.fetch('/sync/trigger-all', { method: 'POST' });
    const failed = await collector.until(({ name, status }) => name === 'pull' && status === 2);
    expect(failed.attributes).to.include({ 'sync.peer': 'desktop', 'error.type': 'peer_unreachable' });
  });

  it('cost replication nothing where the collector refuses them, and one line in the log', async () => {
    collector.status = 400;
    const [made, desktop, laptop] = await tracedPair(collector.endpoint, 50);
    group = made;
    for (const id of ['a', 'b', 'c']) {
      const tried = collector.request();
      execute(desktop.database, `INSERT INTO words VALUES ('${id}', 'x')`);
      expect(await laptop.pull('desktop')).to.include({ applied: 1 });
      await tried;
    }
    await laptop.logged('spans are lost: the collector does not take them');
    collector.status = 200;
    execute(desktop.database, `INSERT INTO words VALUES ('d', 'x')`);
    expect(await laptop.pull('desktop')).to.include({ applied: 1 });
    await laptop.logged('the collector takes spans again');
    const lines = laptop.log.filter(({ message }) => message.startsWith('spans are lost'));
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ level: 'warn', endpoint: `${collector.endpoint}/v1/traces` });
  });

  it('cost no more than a moment at the end where nobody collects them', async () => {
    const [port = 0] = await freePorts(1);
    const [made, , laptop] = await tracedPair(`http://127.0.0.1:${port}`, 60_000);
    group = made;
    const startedMs = performance.now();
    await laptop.stop();
    expect(performance.now() - startedMs).to.be.lessThan(4_000);
  });
});

function one(spans: readonly CollectedSpan[]): CollectedSpan {
  const [span] = spans;
  if (span === undefined || spans.length > 1)
    throw new Error(`Expected one span, not ${JSON.stringify(spans)}`);
  return span;
}
