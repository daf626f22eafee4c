import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { serveFeed, type ServedFeed } from './serve.js';

const HEAD = ['host: localhost', 'content-type: application/json', 'content-length: 1000', '', '{'].join(
  '\r\n',
);

describe('a request that never comes to its end', () => {
  let feed: ServedFeed;
  beforeEach(async () => {
    feed = await serveFeed(
      { requestTimeoutMs: 100 },
      { headersTimeoutMs: 500, requestTimeoutMs: 1_000, lookIntervalMs: 50 },
    );
  });
  afterEach(() => feed.close());

  async function begin(target: string): Promise<{ answer: string; tookMs: number }> {
    const startedMs = performance.now();
    const socket = connect(feed.listening.port, '127.0.0.1');
    let answer = '';
    socket.on('error', () => undefined).on('data', (bytes: Buffer) => (answer += bytes.toString('latin1')));
    socket.write(`POST ${target} HTTP/1.1\r\n${HEAD}`);
    await once(socket, 'close');
    return { answer, tookMs: performance.now() - startedMs };
  }

  it('is cut off', async () => {
    expect((await begin('/sync/trigger')).answer).to.include(' 408 ');
  });

  it('has more time where it brings a page of a peer, and not without end', async () => {
    const page = await begin('/sync/changes?node=macbook&epoch=e1&since=&to=e0&pruned=0');
    expect(page.tookMs).to.be.at.least(900);
    const stranger = await begin('/sync/changes?node=nobody&epoch=e1&since=&to=e0&pruned=0');
    expect(stranger.answer).to.include(' 403 ');
  });
});
