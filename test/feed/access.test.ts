import { Writable } from 'node:stream';
import { expect } from 'chai';
import { request } from 'undici';
import { isLoopbackAuthority } from '#src/feed/access.js';
import { delayAfter, noRefusals, createRefusals } from '#src/feed/refusals.js';
import { createLogger } from '#src/log/logger.js';
import { KEY_HEADER } from '#src/wire/http.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import type { Route } from './routes-of.js';
import { serveFeed, type ServedFeed } from './serve.js';

const OLD_KEY = 'o'.repeat(32);
const KEYS = ['k'.repeat(32), 'n'.repeat(40)];
/** All others need a key. */
const OPEN = ['GET /health', 'GET /'];

describe('access to the feed', () => {
  let feed: ServedFeed;
  afterEach(() => feed.close());

  const ask = ({ method, path }: Route, headers: Record<string, string>) =>
    request(feed.url + path.replace(/:\w+/g, '1'), { method: method as 'GET', headers });

  it('is refused on every route without a key, with a wrong one and with one of before', async () => {
    feed = await serveFeed({ apiKeys: KEYS });
    const { routes } = feed;
    const named = routes.map(({ method, path }) => `${method} ${path}`);
    expect(named).to.include.members([
      ...OPEN,
      'GET /sync/changes',
      'POST /sync/trigger',
      'POST /sync/reload-peers',
      'GET /sync/snapshot',
    ]);
    for (const [place, route] of routes.entries()) {
      await feed.close();
      feed = await serveFeed({ apiKeys: KEYS });
      const name = named[place] ?? '';
      const sent = [
        {},
        { [KEY_HEADER]: 'wrong' },
        { [KEY_HEADER]: OLD_KEY },
        { authorization: `Bearer ${OLD_KEY}` },
      ];
      for (const headers of sent) {
        const answer = await ask(route, headers);
        const body = await answer.body.text();
        if (OPEN.includes(name)) {
          expect(answer.statusCode, name).to.equal(200);
          continue;
        }
        expect(answer.statusCode, name).to.equal(401);
        expect(body, name).to.include('unauthorized').and.not.include(OLD_KEY).and.not.include(KEYS[0]);
      }
      expect(JSON.stringify(feed.log.lines), name).to.not.include(OLD_KEY);
    }
  });

  it('is counted where it is refused, and logged once with the address', async () => {
    const refusals = noRefusals();
    feed = await serveFeed({ apiKeys: KEYS, refusals });
    for (let times = 0; times < 4; times += 1) await (await fetch(`${feed.url}/sync/status`)).text();
    expect(refusals).to.deep.equal({ ...noRefusals(), key: 4 });
    const lines = feed.log.of('a client was refused', 'warn');
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ address: '127.0.0.1', reason: 'key' });
  });

  it('is slowed down after some refusals, but not for a right key', async () => {
    feed = await serveFeed({ apiKeys: KEYS });
    for (let times = 0; times < 6; times += 1) await (await fetch(`${feed.url}/sync/status`)).text();
    const startedMs = performance.now();
    const refused = fetch(`${feed.url}/sync/status`).then(() => performance.now() - startedMs);
    const let_in = await fetch(`${feed.url}/sync/status`, { headers: { [KEY_HEADER]: KEYS[1] ?? '' } });
    expect(let_in.status).to.equal(200);
    expect(await refused).to.be.at.least(150);
    expect([5, 6, 7, 20].map(delayAfter)).to.deep.equal([0, 100, 200, 5000]);
  });

  it('logs few lines for a stranger with many addresses, and remembers few of them', () => {
    const log = new LogRecorder();
    const counts = noRefusals();
    const refusals = createRefusals({ counts, logger: log.logger, signal: new AbortController().signal });
    for (let n = 0; n < 3000; n += 1) refusals.note('key', `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
    expect(counts.key).to.equal(3000);
    expect(log.of('a client was refused')).to.have.length(20);
    feed = { close: () => Promise.resolve() } as ServedFeed;
  });

  it('writes what a request holds as one line of the log, without control characters', async () => {
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString('utf8'));
        done();
      },
    });
    const logger = createLogger({ level: 'debug', format: 'text', file: null }, stream);
    feed = await serveFeed({ apiKeys: KEYS, logger });
    feed.database.failures.set('page', new TypeError('one\nforged \u001b[31mred\u202e\u009b'));
    const headers = { [KEY_HEADER]: KEYS[0] ?? '', 'user-agent': 'x\u009b31m' };
    await request(`${feed.url}/sync/changes?tables=words`, { headers });
    await request(`${feed.url}/%0a%1b%5b31mforged%20line`, { headers });
    await request(`${feed.url}/sync/status`, { headers: { [KEY_HEADER]: 'x\u009b31m' } });
    expect(lines.map((line) => line.slice(25, 30).trim())).to.deep.equal(['error', 'warn']);
    expect(lines[0]).to.include('one\\nforged');
    // eslint-disable-next-line no-control-regex
    expect(lines.map((line) => line.trimEnd()).join('')).to.not.match(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  const own = [
    'localhost',
    'LOCALHOST:1',
    '127.0.0.1:8091',
    '127.9.9.9',
    '[::1]',
    '[::1]:8091',
    '[::ffff:127.0.0.1]:1',
  ];
  const foreign = [
    '',
    'localhost.',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example@127.0.0.1',
    '127.0.0.1/evil.example',
    '127.0.0.1#evil.example',
    '127.0.0.1:80@evil.example',
    '2130706433',
    '0x7f.1',
    '0.0.0.0:8091',
    '[::]:8091',
    '[::1',
    '::1',
    '[fe80::1]:8091',
    '127.0.0.1:99999',
  ];
  it('without a key goes by names of this machine only, in all their forms', async () => {
    expect(own.filter((name) => !isLoopbackAuthority(name))).to.deep.equal([]);
    expect(foreign.filter((name) => isLoopbackAuthority(name))).to.deep.equal([]);
    const refusals = noRefusals();
    feed = await serveFeed({ refusals });
    const answer = await request(`${feed.url}/sync/status`, { headers: { host: 'rebound.example:8091' } });
    expect(answer.statusCode).to.equal(403);
    expect(refusals.host).to.equal(1);
  });

  for (const [site, status] of [
    ['cross-site', 403],
    ['same-site', 403],
    ['same-origin', 200],
    ['none', 200],
  ] as const) {
    it(`without a key answers ${status} to a page whose browser calls it ${site}`, async () => {
      feed = await serveFeed();
      const answer = await request(`${feed.url}/sync/status`, { headers: { 'sec-fetch-site': site } });
      expect(answer.statusCode).to.equal(status);
    });
  }

  it('leaves a browser nothing but our own scripts and routes', async () => {
    feed = await serveFeed();
    const { headers } = await fetch(`${feed.url}/sync/status`);
    expect(headers.get('content-security-policy'))
      .to.include("script-src 'self'")
      .and.include("connect-src 'self'")
      .and.include("frame-ancestors 'none'")
      .and.not.include('unsafe')
      .and.not.include('upgrade-insecure-requests');
    expect(headers.get('x-content-type-options')).to.equal('nosniff');
    expect(headers.has('strict-transport-security')).to.equal(false);
  });
});
