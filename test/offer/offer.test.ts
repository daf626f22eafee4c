import { createServer, request as httpRequest } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { pageSource } from '#src/feed/changes.js';
import { createOfferClient } from '#src/offer/client.js';
import { offer, type OfferParts } from '#src/offer/offer.js';
import { createAttempts } from '#src/pull/attempts.js';
import { openConnection } from '#src/pull/request.js';
import { DESK, serveFeed, type ServedFeed } from '../feed/serve.js';
import { sendJson, servePeer, type PeerServer } from '../pull/peer-server.js';
import { testConfig, type ConfigOptions } from '../stand-ins/config.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { MemoryDatabase } from '../stand-ins/memory-database.js';
import { rejectionOf } from '../thrown.js';

describe('an offer', () => {
  let feed: ServedFeed;
  let macbook: MemoryDatabase;
  const closing: (() => Promise<void>)[] = [];
  const { signal } = new AbortController();
  beforeEach(async () => {
    feed = await serveFeed({ now: Date.now });
    macbook = new MemoryDatabase('macbook', 'e1');
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await feed.close();
  });

  /** What an offer from macbook to desktop at this address needs. */
  function parts(address = feed.url, options: ConfigOptions = {}): OfferParts {
    const config = testConfig(options);
    const { connectTimeoutMs, requestTimeoutMs } = config.network;
    const target = { name: 'desktop', address, apiKey: null, connectTimeoutMs, requestTimeoutMs };
    const client = createOfferClient(
      openConnection(target),
      macbook.reader,
      Date.now,
      config.network.compression,
    );
    closing.push(() => client.close());
    const page = pageSource({
      node: 'macbook',
      reader: macbook.reader,
      writer: macbook.writer,
      fold: () => macbook.writer.fold(),
      logger: new LogRecorder().logger,
      signal,
    });
    return {
      peer: 'desktop',
      client,
      attempts: createAttempts('desktop', config.network),
      tables: ['words'],
      clock: config.clock,
      page,
      onSkew: () => undefined,
      onTaken: () => undefined,
      now: Date.now,
    };
  }

  /** Passes requests on to the feed; may answer in its place, or cut the connection after it has answered. */
  async function proxy(
    after: (method: string, count: number) => 'pass' | 'cut' | 'reply',
  ): Promise<{ address: string; count: number }> {
    const seen = { address: '', count: 0 };
    const server = createServer((asked, answer) => {
      seen.count += 1;
      const what = after(asked.method ?? '', seen.count);
      const headers = { ...asked.headers, host: new URL(feed.url).host };
      const passed = httpRequest(
        feed.url + (asked.url ?? ''),
        { method: asked.method, headers },
        (theirs) => {
          if (what === 'cut') {
            theirs.resume();
            theirs.once('end', () => answer.destroy());
            return;
          }
          answer.writeHead(theirs.statusCode ?? 500, theirs.headers);
          theirs.pipe(answer);
        },
      );
      asked.pipe(passed);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    seen.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return seen;
  }

  async function answering(body: (url: URL) => unknown, status = 200): Promise<PeerServer> {
    const server = await servePeer((asked, answer) => {
      asked.resume();
      sendJson(answer, body(new URL(asked.url ?? '', 'http://x')), status);
    });
    closing.push(() => server.close());
    return server;
  }

  const invitation = (overrides: Record<string, unknown> = {}) => ({
    protocol: 1,
    node: 'desktop',
    epoch: 'e0',
    server_time_ms: Date.now(),
    cursor: '',
    pruned: 0,
    request: 'since=&limit=10&node=desktop&epoch=e0&full=1',
    ...overrides,
  });

  for (const compression of ['auto', 'always'] as const) {
    it(`brings the peer to the head, page by page, with compression ${compression}`, async () => {
      await feed.close();
      feed = await serveFeed({
        now: Date.now,
        offers: { ...DESK, pageSize: 2 },
      });
      macbook.insert('a', 'b', 'c', 'd', 'e');
      const taken: number[] = [];
      const onTaken = (changes: number) => taken.push(changes);
      const result = await offer({ ...parts(feed.url, { network: { compression } }), onTaken }, signal);
      expect(taken).to.deep.equal([2, 2, 1]);
      expect(result).to.include({ peer: 'desktop', pages: 3, received: 5, applied: 5 });
      expect(feed.database.keys).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
    });
  }

  it('takes the answer as the acknowledgement of what was offered', async () => {
    macbook.insert('a', 'b');
    await offer(parts(), signal);
    expect(macbook.acknowledged).to.deep.equal(['desktop e0 ', `desktop e0 ${macbook.cursorAt(2)}`]);
    expect(macbook.handedOut).to.deep.equal([`desktop  ${macbook.cursorAt(2)}`]);
  });

  it('says what it has where the peer lacks nothing, and sends no row', async () => {
    macbook.insert('a');
    await offer(parts(), signal);
    expect(await offer(parts(), signal)).to.include({ pages: 1, received: 0, applied: 0 });
  });

  it('goes on after an answer that was lost', async () => {
    macbook.insert('a', 'b');
    const { address } = await proxy((_method, count) => (count === 2 ? 'cut' : 'pass'));
    const network = { maxRetries: 2 };
    await offer(parts(address, { network }), signal);
    expect(feed.database.keys).to.deep.equal(['a', 'b']);
    expect(feed.database.applied.map(({ since }) => since)).to.deep.equal(['', '', macbook.cursorAt(2)]);
    expect(macbook.acknowledged.at(-1)).to.equal(`desktop e0 ${macbook.cursorAt(2)}`);
  });

  it('asks the peer to start over, once, where its cursor is of another log', async () => {
    macbook.insert('a');
    feed.database.cursors.set('macbook', 'e7.5.ab');
    expect(await offer(parts(), signal)).to.include({ received: 1 });
    expect(feed.database.resets).to.equal(1);
    const server = await answering(() => {
      const cursor = 'e7.5.ab';
      return invitation({ cursor, request: `since=${cursor}&limit=10&node=desktop&epoch=e0` });
    });
    expect((await rejectionOf(offer(parts(server.address), signal))).code).to.equal('cursor_invalid');
    expect(server.asked).to.have.length(2);
  });

  it('offers a page whole where it named a row that the peer lacks', async () => {
    macbook.insert('a');
    const asked: boolean[] = [];
    const made = parts();
    feed.database.onApply = () => {
      feed.database.onApply = () => undefined;
      throw new SyncError('rows_missing', 'a row is missing');
    };
    const recorded: OfferParts['page'] = (query) => {
      asked.push(query.whole ?? false);
      return made.page(query);
    };
    expect(await offer({ ...made, page: recorded }, signal)).to.include({ received: 1 });
    expect(asked).to.deep.equal([false, true, false]);
  });

  it('gives up where the peer wants another page again and again', async () => {
    macbook.insert('a');
    feed.database.failures.set('apply', new SyncError('cursor_moved', 'moved'));
    expect((await rejectionOf(offer(parts(), signal))).code).to.equal('peer_endless');
  });

  it('gives up where the peer says that it applied a page, and asks for the same', async () => {
    await Promise.resolve(macbook.insert(...Array.from({ length: 30 }, (_, place) => `w${place}`)));
    const server = await answering(() => invitation());
    expect((await rejectionOf(offer(parts(server.address), signal))).code).to.equal('peer_endless');
    expect(server.asked.length).to.be.lessThan(30);
  });

  for (const [title, body, code] of [
    ['another node answers', { node: 'server' }, 'wrong_node'],
    ['the peer is this replica itself', { node: 'macbook' }, 'peer_is_self'],
    ['the peer speaks another protocol', { protocol: 2 }, 'protocol_mismatch'],
    [
      'the peer asks in the name of another',
      { request: 'since=&limit=10&node=server&epoch=e0' },
      'wrong_node',
    ],
    [
      'the peer asks in its own name first, and then in the name of another',
      { request: 'since=&limit=10&node=desktop&epoch=e0&node=server' },
      'wrong_node',
    ],
    [
      'the peer asks for another cursor than it says',
      { request: 'since=e1.1.ab&node=desktop&epoch=e0' },
      'wrong_node',
    ],
    ['the peer asks for what is no page', { request: 'since=&node=desktop&epoch=e0&limit=x' }, 'bad_query'],
    ['the answer is no invitation', { cursor: 7 }, 'not_a_replica'],
    ['the clocks differ too much', { server_time_ms: Date.now() - 120_000 }, 'clock_skew'],
  ] as const) {
    it(`sends nothing where ${title}`, async () => {
      macbook.insert('a');
      const server = await answering(() => invitation(body));
      expect((await rejectionOf(offer(parts(server.address), signal))).code).to.equal(code);
      expect(server.asked).to.have.length(1);
    });
  }

  for (const [told, status, code] of [
    ['not_a_peer', 403, 'offer_refused'],
    ['unauthorized', 401, 'peer_refused'],
    ['two_owners', 409, 'two_owners'],
    ['own_node', 409, 'peer_is_self'],
    ['low_disk', 503, 'peer_low_disk'],
    ['unknown_route', 404, 'offer_refused'],
    ['bad_request', 413, 'offer_refused'],
    ['page_damaged', 400, 'page_damaged'],
    ['bad_query', 400, 'request_refused'],
    ['database_busy', 503, 'peer_failed'],
    ['internal', 500, 'peer_failed'],
  ] as const) {
    it(`fails with ${code} where the peer answers ${status} ${told}`, async () => {
      const server = await answering(() => ({ error: { code: told, message: 'no' } }), status);
      const error = await rejectionOf(offer(parts(server.address), signal));
      expect(error.code).to.equal(code);
      expect(error.hint).to.be.a('string');
    });
  }
});
