import { createHash } from 'node:crypto';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { request } from 'undici';
import { SyncError } from '#src/errors.js';
import type { OfferDesk } from '#src/feed/offers.js';
import type { Invitation } from '#src/wire/offer.js';
import { MemoryDatabase } from '../stand-ins/memory-database.js';
import { DESK, serveFeed, type ServedFeed } from './serve.js';

const NODE = 'node=macbook&epoch=e1';

describe('POST /sync/changes', () => {
  let feed: ServedFeed;
  let macbook: MemoryDatabase;
  beforeEach(async () => {
    feed = await serveFeed();
    macbook = new MemoryDatabase('macbook', 'e1');
  });
  afterEach(() => feed.close());

  async function post(query: string, body: Buffer | null = null, headers: Record<string, string> = {}) {
    const answer = await request(`${feed.url}/sync/changes?${query}`, { method: 'POST', body, headers });
    const json = (await answer.body.json()) as Invitation & { error: { code: string; hint?: string } };
    return { status: answer.statusCode, code: json.error?.code, json, headers: answer.headers };
  }

  function sent(body: Uint8Array, headers: Record<string, string> = {}) {
    const sha256 = createHash('sha256').update(body).digest('hex');
    return { 'content-type': 'application/json', 'x-page-sha256': sha256, ...headers };
  }

  async function pageAfter(since: string, limit = 1000): Promise<Buffer> {
    const { body } = await macbook.reader.page({ since, limit, node: 'desktop', epoch: 'e0', tables: null });
    return Buffer.from(body);
  }

  it('answers a peer that asks with the request that this replica would send', async () => {
    const { status, json } = await post(NODE);
    expect(status).to.equal(200);
    expect(json).to.include({ protocol: 1, node: 'desktop', epoch: 'e0', cursor: '', pruned: 0 });
    expect(json.taken).to.equal(undefined);
    expect(Object.fromEntries(new URLSearchParams(json.request))).to.include({
      since: '',
      limit: '1000',
      node: 'desktop',
      epoch: 'e0',
      full: '1',
    });
  });

  it('applies page after page, each with the cursor that it answered before', async () => {
    macbook.insert('a', 'b', 'c');
    const first = await pageAfter('', 2);
    const one = await post(`${NODE}&since=&to=e0&pruned=0`, first, sent(first));
    expect(one.json).to.include({ cursor: macbook.cursorAt(2) });
    expect(one.json.taken).to.include({ received: 2, applied: 2 });
    const second = await pageAfter(one.json.cursor);
    const two = await post(`${NODE}&since=${one.json.cursor}&to=e0&pruned=0`, second, sent(second));
    expect(two.json).to.include({ cursor: macbook.cursorAt(3) });
    expect(feed.database.keys).to.deep.equal(['a', 'b', 'c']);
    expect(feed.database.applied[0]).to.include({ peer: 'macbook', epoch: 'e0', pruned: 0, since: '' });
  });

  for (const [encoding, pack] of [
    ['gzip', gzipSync],
    ['br', (body: Buffer) => brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ] as const) {
    it(`takes a page compressed by ${encoding}, whose hash is of what it was before`, async () => {
      macbook.insert('a');
      const body = await pageAfter('');
      const headers = sent(body, { 'content-encoding': encoding });
      const { status } = await post(`${NODE}&since=&to=e0&pruned=0`, pack(body), headers);
      expect(status).to.equal(200);
      expect(feed.database.keys).to.deep.equal(['a']);
    });

    it(`refuses a ${encoding} bomb at the size of the largest page`, async () => {
      const headers = sent(Buffer.alloc(0), { 'content-encoding': encoding });
      const bomb = pack(Buffer.alloc(120 * 1024 * 1024));
      const { status, code } = await post(`${NODE}&since=&to=e0&pruned=0`, bomb, headers);
      expect([status, code]).to.deep.equal([413, 'bad_request']);
      expect(feed.database.applied).to.deep.equal([]);
    });
  }

  it('answers 409 where another page was applied meanwhile, and 200 with the cursor when it is asked again', async () => {
    macbook.insert('a');
    const body = await pageAfter('');
    feed.database.cursors.set('macbook', macbook.cursorAt(1));
    const { status, code } = await post(`${NODE}&since=&to=e0&pruned=0`, body, sent(body));
    expect([status, code]).to.deep.equal([409, 'cursor_moved']);
    expect((await post(NODE)).json.cursor).to.equal(macbook.cursorAt(1));
  });

  it('starts over where its cursor is not of the log of the peer, unless it has moved since', async () => {
    feed.database.cursors.set('macbook', macbook.cursorAt(7));
    expect((await post(`${NODE}&invalid=${macbook.cursorAt(6)}`)).json.cursor).to.equal(macbook.cursorAt(7));
    expect((await post(`${NODE}&invalid=${macbook.cursorAt(7)}`)).json.cursor).to.equal('');
    expect(feed.database.resets).to.equal(1);
  });

  for (const [code, status] of [
    ['rows_missing', 409],
    ['instance_renewed', 409],
    ['page_damaged', 400],
    ['wrong_node', 400],
    ['peer_endless', 400],
    ['restored_again', 503],
    ['database_busy', 503],
  ] as const) {
    it(`answers ${status} where the page could not be applied: ${code}`, async () => {
      const body = await pageAfter('');
      feed.database.failures.set('apply', new SyncError(code, 'not applied'));
      const answer = await post(`${NODE}&since=&to=e0&pruned=0`, body, sent(body));
      expect([answer.status, answer.code]).to.deep.equal([status, code]);
    });
  }

  it('takes nothing while the disk is almost full, and says so', async () => {
    await feed.close();
    const refusals: unknown[] = [];
    feed = await serveFeed({
      offers: {
        ...DESK,
        admit: () => Promise.reject(new SyncError('low_disk', 'no room')),
        refused: (peer, error) => refusals.push([peer, (error as SyncError).code]),
      },
    });
    const body = await pageAfter('');
    const answer = await post(`${NODE}&since=&to=e0&pruned=0`, body, sent(body));
    expect([answer.status, answer.code]).to.deep.equal([503, 'low_disk']);
    expect((await post(NODE)).status).to.equal(200);
    expect(refusals).to.deep.equal([['macbook', 'low_disk']]);
  });

  it('refuses a node that is not among its peers, with the way out', async () => {
    const { status, code, json } = await post('node=stranger&epoch=e1');
    expect([status, code]).to.deep.equal([403, 'not_a_peer']);
    expect(json.error.hint).to.contain('- name: stranger');
    expect((await post('node=desktop&epoch=e1')).code).to.equal('own_node');
  });

  it('measures the clock of who offers between its invitation and the page, and refuses one that differs too far', async () => {
    await feed.close();
    const told: unknown[] = [];
    const refused: unknown[] = [];
    const acceptSkew: OfferDesk['acceptSkew'] = (peer, skew) => {
      told.push([peer, skew]);
      if (skew.skewMs > 60_000) throw new SyncError('clock_skew', 'too far');
    };
    feed = await serveFeed({
      now: () => 10_400,
      offers: {
        ...DESK,
        acceptSkew,
        refused: (peer, error) => refused.push([peer, (error as SyncError).code]),
      },
    });
    const body = await pageAfter('');
    const offer = (clocks: string) => post(`${NODE}&since=&to=e0&pruned=0${clocks}`, body, sent(body));
    expect((await offer('&invited=10000&now=10700')).status).to.equal(200);
    expect(told).to.deep.equal([['macbook', { skewMs: 500, uncertaintyMs: 200 }]]);
    const ahead = await offer('&invited=10000&now=90000');
    expect([ahead.status, ahead.code]).to.deep.equal([409, 'clock_skew']);
    expect(refused).to.deep.equal([['macbook', 'clock_skew']]);
    // this clock was set back meanwhile
    expect((await offer('&invited=20000&now=90000')).code).to.equal('cursor_moved');
    expect(told).to.have.length(2);
  });

  it('refuses a request that the network has changed', async () => {
    const path = `/sync/changes?${NODE}`;
    const headers = { 'x-request-sha256': createHash('sha256').update(path).digest('hex') };
    expect((await post(NODE, null, headers)).status).to.equal(200);
    const changed = await post(`${NODE}&invalid=x`, null, headers);
    expect([changed.status, changed.code]).to.deep.equal([400, 'request_damaged']);
  });

  it('takes one page of a peer at a time', async () => {
    await feed.close();
    let goOn = (): void => undefined;
    const released = new Promise<void>((resolve) => (goOn = resolve));
    let begun = (): void => undefined;
    const applying = new Promise<void>((resolve) => (begun = resolve));
    const desktop = new MemoryDatabase('desktop');
    feed = await serveFeed({
      reader: desktop.reader,
      writer: {
        ...desktop.writer,
        async apply(request) {
          begun();
          await released;
          return desktop.writer.apply(request);
        },
      },
    });
    macbook.insert('a');
    const body = await pageAfter('');
    const query = `${NODE}&since=&to=e0&pruned=0`;
    const first = post(query, body, sent(body));
    await applying;
    const second = await post(query, body, sent(body));
    expect([second.status, second.code, second.headers['retry-after']]).to.deep.equal([
      429,
      'offer_busy',
      '1',
    ]);
    expect((await post('node=phone&epoch=f1')).status).to.equal(200);
    goOn();
    expect((await first).status).to.equal(200);
    expect(desktop.keys).to.deep.equal(['a']);
  });

  it('refuses two databases that offer in turns under one node id', async () => {
    await post('node=macbook&epoch=e1');
    await post('node=macbook&epoch=e2');
    expect((await post('node=macbook&epoch=e1')).code).to.equal('two_owners');
  });

  for (const query of [
    '',
    'node=macbook',
    'epoch=e1',
    'node=mac%20book&epoch=e1',
    'node=macbook&epoch=xyz',
    `${NODE}&since=`,
    `${NODE}&since=&to=e0`,
    `${NODE}&to=e0&pruned=0`,
    `${NODE}&since=&to=e0&pruned=-1`,
    `${NODE}&since=&to=e0&pruned=0&invalid=x`,
    `${NODE}&since=${'a'.repeat(300)}&to=e0&pruned=0`,
    `${NODE}&node=phone`,
  ]) {
    it(`refuses the query "${query.slice(0, 60)}"`, async () => {
      const { status, code } = await post(query);
      expect([status, code]).to.deep.equal([400, 'bad_query']);
    });
  }

  it('refuses a page without its hash, of another content type, with an unknown encoding, and none at all', async () => {
    const body = await pageAfter('');
    const query = `${NODE}&since=&to=e0&pruned=0`;
    const codes = [
      await post(query, body, { 'content-type': 'application/json' }),
      await post(query, body, sent(body, { 'content-type': 'text/plain' })),
      await post(query, body, sent(body, { 'content-encoding': 'zstd' })),
      await post(query, Buffer.from('no gzip'), sent(body, { 'content-encoding': 'gzip' })),
      await post(query),
    ].map(({ status, code }) => `${status} ${code}`);
    expect(codes).to.deep.equal([
      '400 page_damaged',
      '400 bad_request',
      '415 bad_request',
      '400 bad_request',
      '400 bad_request',
    ]);
    expect(feed.database.applied).to.deep.equal([]);
  });

  it('lets a new page of a peer take the place of one that never came to its end', async () => {
    await feed.close();
    let arrived = (): void => undefined;
    const first = new Promise<void>((resolve) => (arrived = resolve));
    feed = await serveFeed({ offers: { ...DESK, admit: () => Promise.resolve(arrived()) } });
    macbook.insert('a');
    const body = await pageAfter('');
    const query = `${NODE}&since=&to=e0&pruned=0`;
    const abandoned = fetch(`${feed.url}/sync/changes?${query}`, {
      method: 'POST',
      headers: sent(body),
      duplex: 'half',
      body: new ReadableStream({
        start(controller) {
          controller.enqueue(body.subarray(0, 10));
        },
      }),
    });
    const ended = abandoned.then(
      () => 'answered',
      () => 'cut',
    );
    await first;
    expect((await post(query, body, sent(body))).status).to.equal(200);
    expect(await ended).to.equal('cut');
  });
});
