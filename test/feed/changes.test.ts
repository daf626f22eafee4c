import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { request } from 'undici';
import { serveFeed, type ServedFeed } from './serve.js';

interface Page {
  changes: { key: [string] }[];
  next_cursor: string;
  has_more: boolean;
}

describe('GET /sync/changes', () => {
  let feed: ServedFeed;
  beforeEach(async () => {
    feed = await serveFeed();
  });
  afterEach(() => feed.close());

  const ask = (query: string, signal?: AbortSignal) =>
    fetch(`${feed.url}/sync/changes?${query}`, signal === undefined ? {} : { signal });
  const pageOf = async (query: string) => (await (await ask(query)).json()) as Page;

  it('gives page after page until there is no more', async () => {
    feed.database.insert('a', 'b', 'c');
    const first = await pageOf('limit=2');
    expect(first.changes.map(({ key }) => key[0])).to.deep.equal(['a', 'b']);
    expect(first.has_more).to.equal(true);
    const second = await pageOf(`limit=2&since=${first.next_cursor}`);
    expect(second.changes.map(({ key }) => key[0])).to.deep.equal(['c']);
    expect(second.has_more).to.equal(false);
  });

  it('refuses a request that the network has changed', async () => {
    const path = '/sync/changes?node=macbook&epoch=e1&limit=1';
    const sha256 = createHash('sha256').update(path).digest('hex');
    const headers = { 'x-request-sha256': sha256 };
    expect((await fetch(feed.url + path, { headers })).status).to.equal(200);
    const refused = await fetch(feed.url + path.replace('macbook', 'macbooj'), { headers });
    expect(refused.status).to.equal(400);
    expect(await refused.json())
      .to.have.property('error')
      .with.property('code', 'request_damaged');
    expect(feed.database.acknowledged).to.have.length(1);
  });

  it('names the SHA-256 of the uncompressed body, compressed or not', async () => {
    feed.database.insert(...Array.from({ length: 200 }, (_, index) => `word ${index}`));
    const plain = await request(`${feed.url}/sync/changes`);
    const packed = await request(`${feed.url}/sync/changes`, { headers: { 'accept-encoding': 'gzip' } });
    const body = Buffer.from(await plain.body.arrayBuffer());
    const unpacked = gunzipSync(Buffer.from(await packed.body.arrayBuffer()));
    expect(packed.headers['content-encoding']).to.equal('gzip');
    expect(plain.headers['content-type']).to.equal('application/json; charset=utf-8');
    expect(plain.headers['x-page-sha256']).to.equal(createHash('sha256').update(body).digest('hex'));
    expect(packed.headers['x-page-sha256']).to.equal(createHash('sha256').update(unpacked).digest('hex'));
  });

  for (const query of [
    'limit=0',
    'limit=10001',
    'limit=1.5',
    'limit=ten',
    'limit=1&limit=2',
    'wait=61',
    'wait=-1',
    'peek=2',
    'peek=1&rows=all',
    'node=a/b',
    'node=',
    'epoch=XYZ',
    'tables=users',
    'tables=words,users',
    'heard=e1',
    'heard=xy.12',
    `since=${'1'.repeat(201)}`,
  ]) {
    it(`refuses ${query.slice(0, 30)}`, async () => {
      const answer = await ask(query);
      expect(answer.status).to.equal(400);
      expect(await answer.json()).to.have.nested.property('error.code', 'bad_query');
    });
  }

  it('answers 410 to a cursor of another log', async () => {
    const answer = await ask('since=ff.3.ab');
    expect(answer.status).to.equal(410);
    expect(await answer.json()).to.have.nested.property('error.code', 'cursor_invalid');
  });

  it('refuses a replica that has its own node id', async () => {
    const answer = await ask('node=desktop&epoch=e1');
    expect(answer.status).to.equal(409);
    expect(JSON.stringify(await answer.json()))
      .to.include('own_node')
      .and.to.include('node id');
  });

  it('folds before it reads a page', async () => {
    await pageOf('');
    expect(feed.database.folds).to.equal(1);
  });

  it('folds for a page that is asked ahead only where it is the last', async () => {
    feed.database.insert('a', 'b', 'c');
    const { next_cursor: cursor } = await pageOf('limit=1');
    const middle = await pageOf(`limit=1&ahead=1&since=${cursor}`);
    expect(middle.changes).to.have.length(1);
    expect(feed.database.folds).to.equal(1);
    const last = await pageOf(`limit=1&ahead=1&since=${middle.next_cursor}`);
    expect(last.has_more).to.equal(false);
    expect(feed.database.folds).to.equal(2);
  });

  it('serves what is folded while the app holds the write lock', async () => {
    feed.database.insert('a');
    const release = feed.database.lock();
    const page = await pageOf('');
    expect(page.changes).to.have.length(1);
    release();
  });

  it('serves a whole page as soon as there is one, although the fold goes on', async () => {
    const release = feed.database.lock();
    // As a fold does that has come so far.
    feed.database.events.once('page', () => {
      feed.database.insert('a', 'b');
    });
    const page = await pageOf('limit=1');
    expect(page.changes).to.have.length(1);
    release();
  });

  it('notes what a puller has, once per cursor', async () => {
    feed.database.insert('a', 'b');
    const { next_cursor: cursor } = await pageOf('node=macbook&epoch=e1&limit=1');
    await pageOf(`node=macbook&epoch=e1&since=${cursor}`);
    await pageOf(`node=macbook&epoch=e1&since=${cursor}`);
    expect(feed.database.acknowledged).to.deep.equal(['macbook e1 ', `macbook e1 ${cursor}`]);
  });

  it('notes what a puller is given, and nothing where that is what it has', async () => {
    feed.database.insert('a');
    const { next_cursor: cursor } = await pageOf('node=macbook&epoch=e1');
    await pageOf(`node=macbook&epoch=e1&since=${cursor}`);
    await pageOf('');
    expect(feed.database.handedOut).to.deep.equal([`macbook  ${cursor}`]);
  });

  it('notes nothing of a request without a node, nor of a cursor that is not valid', async () => {
    await ask('');
    await ask('node=macbook&epoch=e1&since=ff.3.ab');
    expect(feed.database.acknowledged).to.deep.equal([]);
  });

  it('notes a cursor again after it could not be written', async () => {
    feed.database.failures.set('acknowledge', new Error('database is locked'));
    await ask('node=macbook&epoch=e1');
    await feed.log.until('could not note what a peer has');
    feed.database.failures.clear();
    await ask('node=macbook&epoch=e1');
    expect(feed.database.acknowledged).to.have.length(1);
  });

  describe('with peek', () => {
    const peek = async (query: string, signal?: AbortSignal) =>
      (await (await ask(`peek=1&node=macbook&epoch=e1&${query}`, signal)).json()) as object;

    it('says whether there is anything, without it, and takes nothing for an acknowledgement', async () => {
      feed.database.insert('a');
      const { next_cursor: cursor } = await pageOf('');
      expect(await peek(`since=${cursor}`)).to.deep.equal({ news: false });
      feed.database.insert('b');
      expect(await peek(`since=${cursor}`)).to.deep.equal({ news: true });
      expect(await peek('since=ff.3.ab')).to.deep.equal({ news: true });
      expect(feed.database.acknowledged).to.deep.equal([]);
      expect(feed.database.handedOut).to.deep.equal([]);
    });

    it('gives the page itself where that is wanted, and takes it for a page that was asked for', async () => {
      const answer = ask('peek=1&rows=own&node=macbook&epoch=e1&wait=60');
      await feed.commits.held(1);
      feed.database.insert('a');
      feed.commits.announce();
      const { headers } = await answer;
      const body = await (await answer).text();
      expect(headers.get('x-page-sha256')).to.equal(createHash('sha256').update(body).digest('hex'));
      const page = JSON.parse(body) as Page;
      expect(page.changes.map(({ key }) => key[0])).to.deep.equal(['a']);
      expect(feed.database.acknowledged).to.deep.equal(['macbook e1 ']);
      expect(feed.database.handedOut).to.deep.equal([`macbook  ${page.next_cursor}`]);
    });

    it('gives none to two databases with one node id: they are told so when they pull', async () => {
      for (const epoch of ['e1', 'e2', 'e1']) await ask(`node=macbook&epoch=${epoch}`);
      feed.database.insert('a');
      const answer = await ask('peek=1&rows=own&node=macbook&epoch=e1');
      expect(await answer.json()).to.deep.equal({ news: true });
    });

    it('is held until a commit brings something', async () => {
      const answer = peek('wait=60');
      await feed.commits.held(1);
      feed.commits.announce();
      await feed.commits.held(1);
      feed.database.insert('a');
      feed.commits.announce();
      expect(await answer).to.deep.equal({ news: true });
    });

    it('looks once the commit is folded', async () => {
      await feed.close();
      const folded = () => {
        feed.database.insert('a');
        return Promise.resolve();
      };
      feed = await serveFeed({ folded });
      expect(await peek('')).to.deep.equal({ news: true });
    });

    it('answers when the time is over, and when the replica stops', async () => {
      expect(await peek('wait=1')).to.deep.equal({ news: false });
      const answer = peek('wait=60');
      await feed.commits.held(1);
      feed.stop();
      expect(await answer).to.deep.equal({ news: false });
    });

    it('lets go of a client that has gone', async () => {
      const gone = new AbortController();
      const answer = peek('wait=60', gone.signal).catch((error: unknown) => error);
      await feed.commits.held(1);
      gone.abort();
      await feed.commits.held(0);
      expect(await answer).to.have.property('name', 'AbortError');
    });

    it('refuses a replica that has its own node id', async () => {
      expect((await ask('peek=1&node=desktop&epoch=e1')).status).to.equal(409);
    });
  });

  describe('with wait', () => {
    it('holds the request until something is committed', async () => {
      const answer = pageOf('wait=60');
      await feed.commits.held(1);
      feed.database.insert('a');
      feed.commits.announce();
      expect((await answer).changes).to.have.length(1);
    });

    it('goes on holding it when the commit was nothing for the puller', async () => {
      const answer = pageOf('wait=60');
      await feed.commits.held(1);
      feed.commits.announce();
      await feed.commits.held(1);
      feed.database.insert('a');
      feed.commits.announce();
      expect((await answer).changes).to.have.length(1);
    });

    it('answers an empty page when the time is over', async () => {
      const page = await pageOf('wait=1');
      expect(page.changes).to.deep.equal([]);
      expect(page.has_more).to.equal(false);
    });

    it('answers at once where there is something already', async () => {
      feed.database.insert('a');
      expect((await pageOf('wait=60')).changes).to.have.length(1);
    });

    it('lets go of a client that has gone', async () => {
      const gone = new AbortController();
      const answer = ask('wait=60', gone.signal).catch((error: unknown) => error);
      await feed.commits.held(1);
      gone.abort();
      await feed.commits.held(0);
      expect(await answer).to.have.property('name', 'AbortError');
    });

    it('holds nothing that comes while the replica stops', async () => {
      feed.stop();
      expect((await pageOf('wait=60')).changes).to.deep.equal([]);
      expect(await (await ask('peek=1&wait=60')).json()).to.deep.equal({ news: false });
    });

    it('answers at once when the replica stops', async () => {
      const answer = pageOf('wait=60');
      await feed.commits.held(1);
      feed.stop();
      expect((await answer).changes).to.deep.equal([]);
    });
  });
});
