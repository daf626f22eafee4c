import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { NOTHING, unheard } from '#src/wire/members.js';
import type { Config } from '#src/config/config.js';
import { SyncError } from '#src/errors.js';
import { createPeerClient } from '#src/pull/client.js';
import { openConnection, type HttpTarget } from '#src/pull/request.js';
import { asNode, freePort, sendJson, sendPage, servePeer, type PeerServer } from './peer-server.js';

const member = { ...unheard('desktop', 'e1'), tables: '0123456789abcdef', born_ms: 5, told_ms: 7, held: 1 };
const QUERY = {
  since: '',
  limit: 10,
  member,
  known: null,
  full: false,
  witness: null,
  heard: null,
  waitMs: 0,
  ahead: false,
};
const never = new AbortController().signal;
const SHA256_OF_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

describe('the client of a peer', () => {
  let server: PeerServer | undefined;
  afterEach(() => server?.close());

  function clientOf(
    address: string,
    target: Partial<HttpTarget> = {},
    compression: Config['network']['compression'] = 'auto',
  ) {
    const connection = openConnection({
      name: 'macbook',
      address,
      apiKey: null,
      connectTimeoutMs: 500,
      requestTimeoutMs: 1000,
      ...target,
    });
    return createPeerClient(connection, 'desktop', Date.now, compression);
  }

  async function serving(
    answer: RequestListener,
    target: Partial<HttpTarget> = {},
    compression: Config['network']['compression'] = 'auto',
  ) {
    server = await servePeer(answer);
    return clientOf(server.address, target, compression);
  }

  async function failureOf(work: Promise<unknown>): Promise<SyncError> {
    try {
      await work;
    } catch (error) {
      expect(error).to.be.instanceOf(SyncError);
      return error as SyncError;
    }
    return expect.fail('it succeeded');
  }

  it('sends the key, its node id and its epoch, and takes the page as it came', async () => {
    let key: unknown;
    const client = await serving(
      (request, response) => {
        key = request.headers['x-api-key'];
        sendPage(response, { changes: [] });
      },
      { apiKey: 'secret' },
    );
    const claims = { 'bob@b0': { log_id: 12, mark: 'ab' }, 'cid@c0': NOTHING };
    const query = {
      ...QUERY,
      member: { ...member, claims },
      known: '01234567',
      full: true,
      witness: 'e0.9.cd',
      heard: { epoch: 'f3', born_ms: 12 },
    };
    const page = await client.page({ ...query, since: 'e0.1.ab' }, never);
    expect(Buffer.from(page.body).toString()).to.equal('{"changes":[]}');
    expect(key).to.equal('secret');
    expect(server?.asked).to.deep.equal([
      '/sync/changes?since=e0.1.ab&limit=10&node=desktop&epoch=e1' +
        '&known=01234567&full=1&witness=e0.9.cd&heard=f3.12&born=5&told=7&held=1&holds=0123456789abcdef&claims=bob@b0:12.ab,cid@c0:0',
    ]);
    await client.close();
  });

  it('sends the SHA-256 of its request, and asks again where that came as another', async () => {
    let sent: unknown;
    const client = await serving((request, response) => {
      sent = request.headers['x-request-sha256'];
      sendJson(response, { error: { code: 'request_damaged', message: 'the request does not match' } }, 400);
    });
    // the breaker and the attempts take it for what passes by itself
    expect((await failureOf(client.page(QUERY, never))).code).to.equal('page_damaged');
    const [path = ''] = server?.asked ?? [];
    expect(sent).to.equal(createHash('sha256').update(path).digest('hex'));
    await client.close();
  });

  it('goes on from the cursor that the header tells only where the page tells the same', async () => {
    const body = '{"next_cursor":"aa.1.bb","has_more":true}';
    const sha256 = createHash('sha256').update(body).digest('hex');
    let told = 'aa.1.bb';
    const client = await serving((_request, response) => {
      response.writeHead(200, { 'x-page-sha256': sha256, 'x-next-cursor': told }).end(body);
    });
    expect((await client.page(QUERY, never)).nextCursor).to.equal('aa.1.bb');
    for (told of ['aa.2.bb', 'aa.1.b', '', 'next']) {
      expect((await client.page(QUERY, never)).nextCursor, told).to.equal(null);
    }
    await client.close();
  });

  for (const encoding of ['constructor', 'toString', '__proto__', 'deflate']) {
    it(`takes no page that is packed by "${encoding}", which it has not asked for`, async () => {
      const client = await serving((_request, response) => {
        const headers = { 'content-encoding': encoding, 'x-page-sha256': SHA256_OF_ABC };
        response.writeHead(200, headers).end('abc');
      });
      expect((await failureOf(client.page(QUERY, never))).code).to.equal('page_damaged');
      await client.close();
    });
  }

  for (const [compression, encoding] of [
    ['auto', 'identity'],
    ['always', 'br, gzip'],
  ] as const) {
    it(`asks a peer on this machine for ${encoding} where compression is ${compression}`, async () => {
      let asked: unknown;
      const client = await serving(
        (request, response) => {
          asked = request.headers['accept-encoding'];
          response.writeHead(200, { 'x-page-sha256': SHA256_OF_ABC }).end('abc');
        },
        {},
        compression,
      );
      await client.page(QUERY, never);
      expect(asked).to.equal(encoding);
      await client.close();
    });
  }

  for (const [encoding, packed] of [
    ['gzip', gzipSync('abc')],
    ['br', brotliCompressSync('abc')],
  ] as const) {
    it(`unpacks a page that was compressed by ${encoding}`, async () => {
      const client = await serving((_request, response) => {
        const headers = { 'content-encoding': encoding, 'x-page-sha256': SHA256_OF_ABC };
        response.writeHead(200, headers).end(packed);
      });
      const page = await client.page(QUERY, never);
      expect(Buffer.from(page.body).toString()).to.equal('abc');
      await client.close();
    });
  }

  it('tells how far the clock of the peer is ahead', async () => {
    const ahead = asNode('macbook', () => undefined);
    const client = await serving((request, response) => {
      if (request.url !== '/health') ahead(request, response);
      else sendJson(response, { node: 'macbook', protocol: 1, server_time_ms: Date.now() + 90_000 });
    });
    const { skew } = await client.health(never);
    expect(skew?.skewMs).to.be.within(89_000, 91_000);
    await client.close();
  });

  describe('reports as peer_unreachable', () => {
    it('a port where nothing listens', async () => {
      const client = clientOf(`http://127.0.0.1:${await freePort()}`);
      const error = await failureOf(client.health(never));
      expect(error.code).to.equal('peer_unreachable');
      expect(error.message).to.include('macbook').and.to.include('nothing listens there');
      await client.close();
    });

    it('a name that is not known', async () => {
      const client = clientOf('http://no-such-host.invalid:8091');
      expect((await failureOf(client.health(never))).code).to.equal('peer_unreachable');
      await client.close();
    });

    it('silence instead of an answer', async () => {
      const client = await serving(() => undefined, { requestTimeoutMs: 100 });
      const error = await failureOf(client.page(QUERY, never));
      expect(error.code).to.equal('peer_unreachable');
      expect(error.message).to.include('no answer in time');
      await client.close();
    });

    it('silence in the middle of an answer', async () => {
      const client = await serving(
        (_request, response) => {
          response.writeHead(200);
          response.write('{"changes":[');
        },
        { requestTimeoutMs: 100 },
      );
      expect((await failureOf(client.page(QUERY, never))).code).to.equal('peer_unreachable');
      await client.close();
    });

    it('a connection that is cut in the middle of an answer', async () => {
      const client = await serving((_request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"changes":[');
        setImmediate(() => response.socket?.destroy());
      });
      expect((await failureOf(client.page(QUERY, never))).code).to.equal('peer_unreachable');
      await client.close();
    });
  });

  describe('reports as page_damaged', () => {
    const damages: Record<string, RequestListener> = {
      'a page without its SHA-256': (_request, response) => {
        sendJson(response, { changes: [] });
      },
      'a page with another SHA-256': (_request, response) => {
        response.writeHead(200, { 'x-page-sha256': '0'.repeat(64) }).end('{}');
      },
      'a page that says it is compressed and is not': (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end('{}');
      },
      'half of a compressed page': (_request, response) => {
        const whole = gzipSync('x'.repeat(10_000));
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(whole.subarray(0, whole.length / 2));
      },
      'a compression that was not asked for': (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'deflate' }).end('{}');
      },
      'half of a page that was compressed by brotli': (_request, response) => {
        const whole = brotliCompressSync('x'.repeat(10_000));
        response.writeHead(200, { 'content-encoding': 'br' }).end(whole.subarray(0, whole.length / 2));
      },
      'a page that brotli unpacks to more than any page is long': (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync(zeros()));
      },
      'a compressed page that unpacks to more than any page is long': (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb());
      },
      'what is no HTTP': (request) => {
        request.socket.end('220 mail.example ESMTP\r\n\r\n');
      },
    };
    for (const [title, answer] of Object.entries(damages)) {
      it(title, async () => {
        const client = await serving(answer);
        expect((await failureOf(client.page(QUERY, never))).code).to.equal('page_damaged');
        await client.close();
      });
    }

    it('an answer without end', async () => {
      const chunk = Buffer.alloc(4 * 1024 * 1024);
      const client = await serving((_request, response) => {
        const fill = () => {
          while (!response.destroyed && response.write(chunk));
          if (!response.destroyed) response.once('drain', fill);
        };
        fill();
      });
      const error = await failureOf(client.page(QUERY, never));
      expect(error.code).to.equal('page_damaged');
      expect(error.message).to.include('too large');
      await client.close();
    });
  });

  describe('refuses', () => {
    const health = (value: unknown, status = 200) =>
      serving((_request, response) => {
        sendJson(response, value, status);
      });

    it('itself, by the node id', async () => {
      const client = await health({ node: 'desktop', protocol: 1 });
      const error = await failureOf(client.health(never));
      expect(error.code).to.equal('peer_is_self');
      expect(error.hint).to.include('two replicas have one node id');
      await client.close();
    });

    it('another node than the configured one', async () => {
      const client = await health({ node: 'toaster', protocol: 1 });
      const error = await failureOf(client.health(never));
      expect(error.code).to.equal('wrong_node');
      expect(error.message).to.include('toaster').and.to.include('macbook');
      await client.close();
    });

    it('another protocol', async () => {
      const client = await health({ node: 'macbook', protocol: 2 });
      expect((await failureOf(client.health(never))).code).to.equal('protocol_mismatch');
      await client.close();
    });

    for (const value of ['hello', null, [], { node: 7 }]) {
      it(`a program that answers ${JSON.stringify(value)}`, async () => {
        const client = await health(value);
        expect((await failureOf(client.health(never))).code).to.equal('not_a_replica');
        await client.close();
      });
    }

    it('to follow a redirect, which would take the key elsewhere', async () => {
      const client = await serving((_request, response) => {
        response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
      });
      expect((await failureOf(client.page(QUERY, never))).code).to.equal('not_a_replica');
      await client.close();
    });
  });

  for (const [status, code] of [
    [400, 'request_refused'],
    [401, 'peer_refused'],
    [403, 'peer_refused'],
    [404, 'not_a_replica'],
    [409, 'peer_is_self'],
    [410, 'cursor_invalid'],
    [429, 'peer_failed'],
    [500, 'peer_failed'],
    [503, 'peer_failed'],
  ] as const) {
    it(`takes HTTP ${status} as ${code}`, async () => {
      const client = await serving((_request, response) => {
        sendJson(response, { error: { code: 'x', message: 'in its own words' } }, status);
      });
      const error = await failureOf(client.page(QUERY, never));
      expect(error.code).to.equal(code);
      if (status !== 404) expect(error.message).to.include('in its own words');
      await client.close();
    });
  }

  it('never quotes its key', async () => {
    const client = await serving(
      (_request, response) => {
        sendJson(response, { error: { code: 'unauthorized', message: 'no' } }, 401);
      },
      { apiKey: 'top-secret' },
    );
    const error = await failureOf(client.page(QUERY, never));
    expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.to.include(
      'top-secret',
    );
    await client.close();
  });

  it('gives up at once when it is told to', async () => {
    const stop = new AbortController();
    const client = await serving(() => {
      stop.abort(new Error('stopped'));
    });
    const outcome = await client.page(QUERY, stop.signal).catch((error: unknown) => error);
    expect(outcome).to.equal(stop.signal.reason);
    await client.close();
  });
});

function zeros(): Buffer {
  return Buffer.alloc(200 * 1024 * 1024);
}

/** 200 MiB of zeros in 200 KiB. */
function bomb(): Buffer {
  return gzipSync(zeros(), { level: 9 });
}
