import { createHook } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { subscribe, unsubscribe, type ChannelListener } from 'node:diagnostics_channel';
import { EventEmitter, on } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { startLoop, type PeerLoop } from '#src/pull/loop.js';
import type { PullParts } from '#src/pull/pull.js';
import { createRecord } from '#src/pull/state.js';
import { Reader } from '#src/threads/reader.js';
import { Writer } from '#src/threads/writer.js';
import { MAX_RESPONSE_BYTES } from '#src/wire/http.js';
import { createDatabaseFile, wordsOf, type DatabaseFile } from '../stand-ins/database-file.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { MemoryDatabase } from '../stand-ins/memory-database.js';
import { sendJson, sendPage, servePeer, type PeerServer } from './peer-server.js';
import { pullInto } from './setup.js';

const SILENCE_MS = 150;
const MIB = 1024 * 1024;
/** What a connection reads before it stops: some chunks of 64 KiB, and the headers. */
const READ_AHEAD_BYTES = MIB;
const ATTEMPTS = 3;

/** A page of macbook's log: one word per log id. */
function pageOf(from: number, to: number, hasMore: boolean) {
  const changes = [];
  for (let seq = from; seq <= to; seq += 1) {
    const id = `w${seq}`;
    const version = { stamp: 1_704_326_400_000 + seq, origin: 'macbook@b0', fingerprint: '0123456789abcdef' };
    const record = { id, english: `word ${id}`, updated_at: version.stamp };
    changes.push({ seq, table: 'words', operation: 'upsert', key: [id], ...version, record });
  }
  const log = { protocol: 1, node: 'macbook', epoch: 'b0', server_time_ms: Date.now() };
  return { ...log, changes, next_cursor: `b0.${to}.ab`, has_more: hasMore, behind: 0 };
}

const LAST_PAGE = pageOf(3, 3, false);

/** Answers with a page's own hash, whatever else is wrong with it. */
function sendBody(
  response: ServerResponse,
  body: string | Buffer,
  headers: Record<string, string> = {},
): void {
  const sha256 = createHash('sha256').update(body).digest('hex');
  const all = { 'content-type': 'application/json', 'x-page-sha256': sha256, ...headers };
  response.writeHead(200, all).end(body);
}

function writeForEver(response: ServerResponse, chunk: Buffer): void {
  const fill = () => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', fill);
  };
  fill();
}

/** 160 MiB of blanks, which no page is long. */
const blanks = Buffer.alloc(160 * MIB, ' ');
const gzipBomb = gzipSync(blanks, { level: 1 });
const brotliBomb = brotliCompressSync(blanks, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });

/** What goes wrong whatever was asked for, and the code of the line that it costs. */
const ANYWHERE: Record<string, [RequestListener, inPage: string, inHealth?: string]> = {
  'nothing for ever': [() => undefined, 'peer_unreachable'],
  'half an answer, then nothing': [
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"node":"macbook","changes":[');
    },
    'peer_unreachable',
  ],
  'half an answer, and hangs up': [
    (_request, response) => {
      response.writeHead(200, { 'content-length': '100000' });
      response.write('{"node":"macbook","changes":[', () => response.socket?.destroy());
    },
    'peer_unreachable',
  ],
  'no HTTP at all': [
    (request) => {
      request.socket.end('220 mail.example ESMTP\r\n\r\n');
    },
    'page_damaged',
  ],
  'a header without end': [
    (request) => {
      const { socket } = request;
      socket.on('error', () => undefined);
      const fill = () => {
        while (!socket.destroyed && socket.write(`x-filler: ${'y'.repeat(8_000)}\r\n`));
        if (!socket.destroyed) socket.once('drain', fill);
      };
      socket.write('HTTP/1.1 200 OK\r\n');
      fill();
    },
    'page_damaged',
  ],
  'a body without end': [
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      writeForEver(response, Buffer.alloc(MIB, ' '));
    },
    'page_damaged',
  ],
  'an error without end': [
    (_request, response) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      writeForEver(response, Buffer.alloc(MIB, ' '));
    },
    'peer_failed',
  ],
  'a gzip bomb': [
    (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipBomb),
    'page_damaged',
  ],
  'a brotli bomb': [
    (_request, response) => response.writeHead(200, { 'content-encoding': 'br' }).end(brotliBomb),
    'page_damaged',
  ],
  'a login page in HTML': [
    (_request, response) => {
      sendBody(response, '<html>Welcome to our hotel</html>', { 'content-type': 'text/html' });
    },
    'page_damaged',
    'not_a_replica',
  ],
  noise: [
    (_request, response) => {
      sendBody(response, Buffer.from([0xff, 0xfe, 0x00, 0x7b, 0x80]));
    },
    'page_damaged',
    'not_a_replica',
  ],
  'a redirect': [
    (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    'not_a_replica',
  ],
};

const AS_PAGE: Record<string, [RequestListener, code: string]> = {
  'a page as text/plain': [
    (_request, response) => {
      sendBody(response, JSON.stringify(LAST_PAGE), { 'content-type': 'text/plain' });
    },
    'page_damaged',
  ],
  'a page that was changed on its way': [
    (_request, response) => {
      const headers = { 'content-type': 'application/json', 'x-page-sha256': '0'.repeat(64) };
      response.writeHead(200, headers).end(JSON.stringify(LAST_PAGE));
    },
    'page_damaged',
  ],
  'half a page, in whole': [
    (_request, response) => {
      const whole = JSON.stringify(LAST_PAGE);
      sendBody(response, whole.slice(0, whole.length / 2));
    },
    'page_damaged',
  ],
  'JSON that is no page': [
    (_request, response) => {
      sendPage(response, { hello: 'world' });
    },
    'page_damaged',
  ],
  'JSON of a depth that nobody reads': [
    (_request, response) => {
      sendBody(response, '['.repeat(2_000_000));
    },
    'page_damaged',
  ],
  'a page with one change that is none': [
    (_request, response) => {
      sendPage(response, { ...pageOf(3, 4, false), changes: [...LAST_PAGE.changes, { seq: 'four' }] });
    },
    'page_damaged',
  ],
  'a page that says more comes after itself': [
    (_request, response) => {
      sendPage(response, { ...LAST_PAGE, changes: [], next_cursor: 'b0.2.ab', has_more: true });
    },
    'peer_endless',
  ],
};

describe('a peer that answers badly', function () {
  this.timeout(30_000);
  let file: DatabaseFile;
  let writer: Writer;
  let reader: Reader;
  let server: PeerServer;
  let log: LogRecorder;
  let parts: PullParts;
  let loop: PeerLoop;
  let bad: RequestListener | null;
  /** The connections to the peer. What they read counts, not what it wrote: the kernel takes dozens of MiB unread. */
  let connections: Socket[];
  const onConnected: ChannelListener = (message) => {
    connections.push((message as { socket: Socket }).socket);
  };
  const asked = new EventEmitter();

  beforeEach(async () => {
    file = await createDatabaseFile('desktop');
    writer = new Writer(file.config);
    await writer.open();
    reader = new Reader(file.config);
    await reader.open();
    log = new LogRecorder();
    connections = [];
    subscribe('undici:client:connected', onConnected);
  });
  afterEach(async () => {
    unsubscribe('undici:client:connected', onConnected);
    await loop.stop();
    await parts.client.close();
    await server.close();
    await reader.close();
    await writer.close();
    file.app.close();
  });

  /** Serves two pages; `where` says which requests go wrong while `bad` is set. */
  async function serve(where: 'health' | 'second page', answer: RequestListener): Promise<void> {
    bad = answer;
    server = await servePeer((request, response) => {
      const isHealth = request.url === '/health';
      const isSecond = request.url?.includes('since=b0.2.ab') === true;
      if (isHealth ? where === 'health' : isSecond && where === 'second page') {
        asked.emit('asked');
        if (bad !== null) return bad(request, response);
      }
      if (isHealth) sendJson(response, { node: 'macbook', protocol: 1, server_time_ms: Date.now() });
      else sendPage(response, isSecond ? LAST_PAGE : pageOf(1, 2, true));
    });
  }

  /** Starts the loop, and lets it ask so often for what goes wrong. */
  async function pullUntilAsked(times: number): Promise<void> {
    parts = pullInto(
      new MemoryDatabase('desktop'),
      server.address,
      { network: { connectTimeoutMs: 300, requestTimeoutMs: SILENCE_MS, breakerFailures: 1000 } },
      { reader, writer },
    );
    const nobody = () => undefined;
    const listener = { applied: nobody, conflict: nobody, peerLost: nobody, peerRegained: nobody };
    const record = createRecord({
      peer: 'macbook',
      clock: parts.clock,
      logger: log.logger,
      listener,
      now: Date.now,
    });
    const news = on(asked, 'asked');
    loop = startLoop({ pull: parts, record, intervalMs: 5, reconnectIntervalMs: 5 });
    for (let time = 0; time < times; time += 1) await news.next();
    await news.return?.();
  }

  /** One line, of the code that it should have, and nothing but what was whole is in the tables. */
  function expectOneLine(code: string, words: readonly string[]): void {
    const lines = log.lines.filter(({ level }) => level === 'warn' || level === 'error');
    const kind = code === 'peer_unreachable' ? 'peer is lost' : 'pull failed';
    expect(
      lines.map(({ message }) => message),
      JSON.stringify(lines),
    ).to.deep.equal([kind]);
    expect(lines[0]).to.include({ peer: 'macbook' });
    const { message = '' } = loop.state.lastError ?? {};
    expect(message).to.have.length.within(20, 200);
    expect(loop.state).to.include({ failing: true, lost: code === 'peer_unreachable' });
    expect(loop.state.lastError?.code).to.equal(code);
    expect(wordsOf(file.app)).to.deep.equal(words);
  }

  async function expectToRecover(): Promise<void> {
    bad = null;
    await log.until('pull finished');
    expect(wordsOf(file.app)).to.deep.equal(['w1', 'w2', 'w3']);
    expect(loop.state).to.include({ failing: false, lost: false });
  }

  function expectReadBytes(most: number): void {
    expect(connections).to.not.have.length(0);
    for (const { bytesRead } of connections) expect(bytesRead).to.be.below(most + READ_AHEAD_BYTES);
  }

  describe('to a request for a page costs one line of the log and no data, with', () => {
    const answers = Object.entries({ ...ANYWHERE, ...AS_PAGE });
    for (const [title, [answer, code]] of answers) {
      it(title, async () => {
        await serve('second page', answer);
        await pullUntilAsked(ATTEMPTS);
        expectOneLine(code, ['w1', 'w2']);
        expectReadBytes(MAX_RESPONSE_BYTES);
        await expectToRecover();
        const fromStart = server.asked.filter((path) => path.includes('since=&'));
        expect(fromStart, 'pulls that went on from the cursor').to.have.length(1);
      });
    }
  });

  describe('to the question who is there costs one line of the log, and a few bytes, with', () => {
    const slowly: RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.once('close', () => {
        clearInterval(timer);
      });
    };
    const here = { ...ANYWHERE, 'a blank now and then': [slowly, 'peer_unreachable'] as const };
    for (const [title, [answer, inPage, inHealth = inPage]] of Object.entries(here)) {
      it(title, async () => {
        await serve('health', answer);
        await pullUntilAsked(ATTEMPTS);
        expectOneLine(inHealth, []);
        expectReadBytes(0);
        await expectToRecover();
      });
    }
  });

  it('is said to be back, and what is wrong with it then, where it was lost before', async () => {
    await serve('health', (request) => request.socket.destroy());
    await pullUntilAsked(ATTEMPTS);
    expectOneLine('peer_unreachable', []);
    bad = (_request, response) => {
      sendJson(response, { node: 'toaster', protocol: 1 });
    };
    const line = await log.until('pull failed', 1, 'warn');
    expect(line.error).to.include('toaster');
    expect(log.of('peer is back')).to.have.length(1);
    await expectToRecover();
  });

  it('is looked for without looking up any name', async () => {
    const looked: string[] = [];
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'GETADDRINFOREQWRAP' || type === 'QUERYWRAP') looked.push(type);
      },
    }).enable();
    try {
      await serve('health', (request) => request.socket.destroy());
      await pullUntilAsked(5);
    } finally {
      hook.disable();
    }
    expect(looked).to.deep.equal([]);
    await expectToRecover();
  });
});
