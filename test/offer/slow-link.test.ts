import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { openConnection, type HttpAnswer } from '#src/pull/request.js';
import { rejectionOf } from '../thrown.js';

const PAGE = Buffer.alloc(16 * 1024 * 1024, 'a');
const SILENCE_MS = 1_000;
/** Between two reads of 64 KiB at most: the whole takes several times as long as silence may. */
const READ_PAUSE_MS = 15;

describe('a large page on its way to a peer', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  async function sendTo(listener: RequestListener): Promise<HttpAnswer> {
    const server = createServer(listener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connection = openConnection({
      name: 'desktop',
      address: `http://127.0.0.1:${port}`,
      apiKey: null,
      connectTimeoutMs: 1_000,
      requestTimeoutMs: SILENCE_MS,
    });
    closing.push(async () => {
      await connection.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const request = { method: 'POST', path: '/', raw: { bytes: PAGE, headers: {} } } as const;
    return connection.send(request, new AbortController().signal);
  }

  it('is given its time over a slow link: silence counts, not the whole', async function () {
    this.timeout(60_000);
    const startedMs = performance.now();
    const { status, body } = await sendTo((request, response) => {
      let length = 0;
      request.on('data', (piece: Buffer) => {
        length += piece.length;
        request.pause();
        setTimeout(() => request.resume(), READ_PAUSE_MS);
      });
      request.on('end', () => response.end(String(length)));
    });
    expect([status, body.toString()]).to.deep.equal([200, String(PAGE.length)]);
    expect(performance.now() - startedMs).to.be.greaterThan(2 * SILENCE_MS);
  });

  it('is given up where the peer reads no more', async () => {
    const sent = sendTo((request) => {
      request.once('data', () => request.pause());
    });
    expect((await rejectionOf(sent)).code).to.equal('peer_unreachable');
  });

  it('may be answered before it was read', async () => {
    const { status } = await sendTo((_request, response) => {
      response.statusCode = 503;
      response.end('no room');
    });
    expect(status).to.equal(503);
  });
});
