import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { serveFeed, type ServedFeed } from './serve.js';

/** The routes that the dashboard asks besides. */
describe('the feed, for a person', () => {
  let feed: ServedFeed;
  beforeEach(async () => {
    feed = await serveFeed();
  });
  afterEach(() => feed.close());

  const ask = async (path: string): Promise<[number, unknown]> => {
    const answer = await fetch(feed.url + path);
    return [answer.status, await answer.json()];
  };

  const post = async (path: string, body?: string): Promise<[number, unknown]> => {
    const sent = body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } };
    const answer = await fetch(feed.url + path, { method: 'POST', ...sent });
    return [answer.status, await answer.json()];
  };

  const codeIn = ([status, answer]: [number, unknown]): unknown => [
    status,
    (answer as { error?: { code?: string } }).error?.code,
  ];

  it('gives the changelog, tables, quarantine and what happened by the second', async () => {
    expect(await ask('/sync/changelog?tail=5')).to.deep.equal([200, { entries: [] }]);
    expect(await ask('/sync/tables')).to.deep.equal([200, { tables: [] }]);
    expect(await ask('/sync/quarantine?limit=5')).to.deep.equal([200, { quarantine: [], total: 0 }]);
    expect(await ask('/sync/conflicts?limit=5')).to.deep.equal([200, { conflicts: [], total: 0 }]);
    expect(await ask('/sync/activity?after=5')).to.deep.equal([200, { now_s: 1704326400, seconds: [] }]);
  });

  for (const path of [
    '/sync/changelog?tail=0',
    '/sync/changelog?tail=201',
    '/sync/changelog?tail=1e2',
    '/sync/changelog?tail=5&tail=6',
    '/sync/changelog?tale=5',
    '/sync/quarantine?limit=0',
    '/sync/conflicts?limit=1001',
    '/sync/activity?after=-1',
  ]) {
    it(`refuses ${path}`, async () => {
      expect(codeIn(await ask(path))).to.deep.equal([400, 'bad_query']);
    });
  }

  for (const body of [
    undefined,
    '{}',
    '{"keep":"both"}',
    '{"keep":"local","force":1}',
    '{"keep":"local","x":1}',
  ]) {
    it(`refuses to resolve a conflict with the body ${body ?? 'none'}`, async () => {
      expect(codeIn(await post('/sync/conflicts/1/resolve', body))).to.deep.equal([400, 'bad_request']);
    });
  }

  for (const id of ['0', '-1', 'a', '1.5', '9'.repeat(30), '%00']) {
    it(`refuses the id ${id}`, async () => {
      const resolved = await post(`/sync/conflicts/${id}/resolve`, '{"keep":"local"}');
      expect(codeIn(resolved)).to.deep.equal([400, 'bad_request']);
      expect(codeIn(await post(`/sync/quarantine/${id}/retry`))).to.deep.equal([400, 'bad_request']);
    });
  }

  it('answers 404 where there is no such conflict or held change', async () => {
    expect(codeIn(await post('/sync/conflicts/7/resolve', '{"keep":"local"}'))).to.deep.equal([
      404,
      'conflict_unknown',
    ]);
    expect(codeIn(await post('/sync/quarantine/7/retry'))).to.deep.equal([404, 'held_unknown']);
  });

  for (const code of ['conflict_settled', 'conflict_outdated', 'resolution_refused', 'table_unknown']) {
    it(`answers 409 where a conflict stays open: ${code}`, async () => {
      feed.database.failures.set('resolve', new SyncError(code, 'it stays'));
      expect(codeIn(await post('/sync/conflicts/7/resolve', '{"keep":"local"}'))).to.deep.equal([409, code]);
    });
  }
});

describe('the files of the dashboard', () => {
  let feed: ServedFeed;
  beforeEach(async () => {
    feed = await serveFeed({ apiKeys: ['k'.repeat(32)] });
  });
  afterEach(() => feed.close());

  for (const [path, type] of [
    ['/', 'text/html'],
    ['/dashboard/main.js', 'text/javascript'],
    ['/dashboard/uplot.js', 'text/javascript'],
    ['/dashboard/uplot.css', 'text/css'],
    ['/dashboard/style.css', 'text/css'],
    ['/dashboard/icon.svg', 'image/svg+xml'],
    ['/dashboard/access.json', 'application/json'],
  ] as const) {
    it(`are open: ${path}`, async () => {
      const answer = await fetch(feed.url + path);
      expect(answer.status).to.equal(200);
      expect(answer.headers.get('content-type')).to.include(type);
      expect(answer.headers.get('cache-control')).to.match(/^no-(cache|store)$/);
      expect(await answer.text()).to.not.include('unsafe-inline');
    });
  }

  for (const path of [
    '/dashboard/no-such-file.js',
    '/dashboard/tsconfig.json',
    '/dashboard/main.d.ts',
    '/dashboard/..%2ffiles.js',
    '/dashboard/%2e%2e%2f%2e%2e%2f%2e%2e%2fpackage.json',
    '/dashboard/.%2fmain.js',
    '/dashboard/',
  ]) {
    it(`are those of the page alone, not ${path}`, async () => {
      expect((await fetch(feed.url + path)).status).to.equal(401);
    });
  }

  it('say whether a key is wanted', async () => {
    const wants = async () => await (await fetch(`${feed.url}/dashboard/access.json`)).json();
    expect(await wants()).to.deep.equal({ needs_key: true });
    await feed.close();
    feed = await serveFeed();
    expect(await wants()).to.deep.equal({ needs_key: false });
  });
});
