import { expect } from 'chai';
import { Replica } from '#src/replica/replica.js';
import { documentAt } from '../docs/documents.js';
import { testConfig } from '../stand-ins/config.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { MemoryDatabase } from '../stand-ins/memory-database.js';
import { parseExposition } from './exposition.js';

describe('GET /metrics', () => {
  const key = 'k'.repeat(32);
  const config = testConfig();
  const replica = new Replica(
    { ...config, security: { ...config.security, apiKeys: [key] } },
    new LogRecorder().logger,
    new MemoryDatabase('desktop').threads,
  );

  before(() => replica.start());
  after(() => replica.stop());

  const ask = (headers: Record<string, string>) =>
    fetch(`http://${replica.address ?? ''}/metrics`, { headers });

  it('has the metrics that docs/metrics.md lists, no more and no fewer', async () => {
    const answer = await ask({ 'x-api-key': key });
    expect(answer.headers.get('content-type')).to.equal('text/plain; version=0.0.4; charset=utf-8');
    const exposed = parseExposition(await answer.text()).names;
    const ours = exposed.filter((name) => !/^(process|nodejs)_/.test(name));
    const rows = documentAt('docs/metrics.md').text.matchAll(/^\| `(sqlite_p2p_sync_\w+)` \|/gm);
    const documented = [...rows].map(([, name = '']) => name);
    expect(ours.sort()).to.deep.equal(documented.sort());
    expect(exposed).to.include.members(['process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds']);
  });

  it('names in its alerts only metrics that exist', async () => {
    const exposed = parseExposition(await (await ask({ 'x-api-key': key })).text()).names;
    const named = documentAt('docs/metrics.md').text.match(/\b(sqlite_p2p_sync|process)_\w*[a-z]\b/g) ?? [];
    expect(named.filter((name) => !exposed.includes(name))).to.deep.equal([]);
  });

  it('is refused without a key, and counts that', async () => {
    expect((await ask({})).status).to.equal(401);
    expect((await ask({ 'x-api-key': 'wrong' })).status).to.equal(401);
    const metrics = parseExposition(await (await ask({ 'x-api-key': key })).text());
    expect(metrics.sample('sqlite_p2p_sync_key_failures_total')).to.equal(2);
    const labels = { route: 'other', method: 'GET', status: '401' };
    expect(metrics.sample('sqlite_p2p_sync_http_requests_total', labels)).to.equal(2);
  });
});
