import { EventEmitter, once } from 'node:events';
import type { RequestListener } from 'node:http';
import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { pullPeer, type PullParts } from '#src/pull/pull.js';
import type { ConfigOptions } from '../stand-ins/config.js';
import { MemoryDatabase } from '../stand-ins/memory-database.js';
import { asNode, asReplica, sendJson, sendPage, servePeer, type PeerServer } from './peer-server.js';
import { pullInto } from './setup.js';

const HOUR_MS = 3_600_000;
const never = new AbortController().signal;

describe('a pull', () => {
  let theirs: MemoryDatabase;
  let ours: MemoryDatabase;
  let server: PeerServer | undefined;
  let parts: PullParts;
  beforeEach(() => {
    theirs = new MemoryDatabase('macbook', 'aa');
    ours = new MemoryDatabase('desktop', 'bb');
  });
  afterEach(async () => {
    await parts.client.close();
    await server?.close();
    server = undefined;
  });

  async function from(
    answer: (...asked: Parameters<RequestListener>) => unknown,
    options: ConfigOptions = {},
    rest: Partial<PullParts> = {},
  ) {
    server = await servePeer(answer);
    parts = pullInto(ours, server.address, options, rest);
    return parts;
  }

  async function codeOf(work: Promise<unknown>): Promise<string> {
    try {
      await work;
    } catch (error) {
      expect(error).to.be.instanceOf(SyncError);
      return (error as SyncError).code;
    }
    return 'none';
  }

  it('takes page after page until the head of the peer', async () => {
    theirs.insert('a', 'b', 'c', 'd', 'e');
    const result = await pullPeer(await from(asReplica(theirs), { sync: { pageSize: 2 } }), never);
    expect(ours.keys).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
    expect(result).to.include({ peer: 'macbook', pages: 3, received: 5, applied: 5, skipped: 0, behind: 0 });
  });

  it('stops before a page of a peer whose clock was set wrong while the pull lasts', async () => {
    theirs.insert('a', 'b');
    const answer = asReplica(theirs);
    let pages = 0;
    await from(
      (request, response) => {
        const aheadMs = request.url !== '/health' && (pages += 1) === 2 ? 90_000 : 0;
        response.setHeader('x-server-time-ms', String(Date.now() + aheadMs));
        answer(request, response);
      },
      { sync: { pageSize: 1 } },
    );
    const skews: number[] = [];
    parts = { ...parts, onSkew: ({ skewMs }) => skews.push(skewMs) };
    expect(await codeOf(pullPeer(parts, never))).to.equal('clock_skew');
    expect(ours.keys).to.deep.equal(['a']);
    expect(skews).to.have.length(2);
    expect(skews[1]).to.be.within(89_000, 91_000);
    expect((await pullPeer(parts, never)).applied).to.equal(1);
  });

  it('goes on where the last one ended', async () => {
    theirs.insert('a');
    await pullPeer(await from(asReplica(theirs)), never);
    theirs.insert('b');
    const result = await pullPeer(parts, never);
    expect(result).to.include({ received: 1, applied: 1 });
    expect(server?.asked.at(-1)).to.include(`since=${theirs.cursorAt(1)}`);
  });

  it('asks who is there before it asks for changes', async () => {
    await pullPeer(await from(asReplica(theirs)), never);
    expect(server?.asked[0]).to.equal('/health');
  });

  it('starts over once when the peer does not know its cursor', async () => {
    theirs.insert('a', 'b');
    ours.cursors.set('macbook', 'ff.9.ab');
    const result = await pullPeer(await from(asReplica(theirs)), never);
    expect(ours.resets).to.equal(1);
    expect(result.applied).to.equal(2);
  });

  it('does not start over for ever', async () => {
    const answer = asNode('macbook', (_request, response) => {
      sendJson(response, { error: { code: 'cursor_invalid', message: 'no' } }, 410);
    });
    expect(await codeOf(pullPeer(await from(answer), never))).to.equal('cursor_invalid');
    expect(ours.resets).to.equal(1);
  });

  it('reads the cursor again when another process has applied first', async () => {
    theirs.insert('a', 'b');
    const answer = asReplica(theirs);
    const result = await pullPeer(
      await from((request, response) => {
        if (request.url?.includes('since=&') === true) ours.cursors.set('macbook', theirs.cursorAt(1));
        answer(request, response);
      }),
      never,
    );
    expect(result).to.include({ received: 1, applied: 1 });
    expect(ours.keys).to.deep.equal(['b']);
  });

  it('gives up when another process is first every time', async () => {
    theirs.insert('a');
    await from(asReplica(theirs));
    ours.failures.set('apply', new SyncError('cursor_moved', 'it has moved'));
    expect(await codeOf(pullPeer(parts, never))).to.equal('cursor_moved');
  });

  it('asks for the rows where it lacks one that was only named, and for names again after that page', async () => {
    theirs.insert('a', 'b', 'c');
    await from(asReplica(theirs), { sync: { pageSize: 1 } });
    const wholes = () => (server?.asked ?? []).filter((path) => path.includes('whole=1'));
    ours.onApply = ({ since }) => {
      if (since === theirs.cursorAt(1) && wholes().length === 0)
        throw new SyncError('rows_missing', 'b is not here');
    };
    const result = await pullPeer(parts, never);
    expect(ours.keys).to.deep.equal(['a', 'b', 'c']);
    expect(result).to.include({ pages: 3, applied: 3 });
    expect(wholes()).to.have.length(1);
    expect(wholes()[0]).to.include(`since=${theirs.cursorAt(1)}&`);
  });

  it('gives up where a peer names what it was asked to send', async () => {
    theirs.insert('a');
    await from(asReplica(theirs));
    ours.failures.set('apply', new SyncError('rows_missing', 'a is not here'));
    expect(await codeOf(pullPeer(parts, never))).to.equal('rows_missing');
    expect(server?.asked.filter((path) => path.includes('whole=1'))).to.have.length(1);
  });

  it('ends when a peer says there is more and its cursor stands still', async () => {
    const page = { protocol: 1, changes: [], next_cursor: 'aa.0.ab', has_more: true };
    const answer = asNode('macbook', (_request, response) => {
      sendPage(response, page);
    });
    expect(await codeOf(pullPeer(await from(answer), never))).to.equal('peer_endless');
    expect(server?.asked.length).to.be.lessThan(10);
  });

  it('ends when a peer sends empty pages without end', async () => {
    let next = 0;
    const answer = asNode('macbook', (_request, response) => {
      sendPage(response, { protocol: 1, changes: [], next_cursor: `aa.${++next}.ab`, has_more: true });
    });
    expect(await codeOf(pullPeer(await from(answer), never))).to.equal('peer_endless');
  });

  it('refuses a peer whose clock is far off, and applies nothing', async () => {
    theirs.insert('a');
    let skewMs = 0;
    const answer = asReplica(theirs);
    await from(
      (request, response) => {
        if (request.url !== '/health') answer(request, response);
        else sendJson(response, { node: 'macbook', protocol: 1, server_time_ms: Date.now() + HOUR_MS });
      },
      {},
      { onSkew: (skew) => (skewMs = skew.skewMs) },
    );
    expect(await codeOf(pullPeer(parts, never))).to.equal('clock_skew');
    expect(skewMs).to.be.closeTo(HOUR_MS, 5000);
    expect(ours.keys).to.deep.equal([]);
  });

  describe('from a peer that answered the last one', () => {
    const answeredLast = true;

    it('asks for a page while the greeting is on its way', async () => {
      theirs.insert('a', 'b', 'c');
      const answer = asReplica(theirs);
      const gate = new EventEmitter();
      const asked = once(gate, 'asked');
      await from(
        async (request, response) => {
          if (request.url === '/health') await asked;
          else gate.emit('asked');
          answer(request, response);
        },
        { sync: { pageSize: 2 } },
        { answeredLast },
      );
      const result = await pullPeer(parts, never);
      expect(result).to.include({ pages: 2, received: 3, applied: 3 });
      expect(server?.asked.filter((path) => path === '/health')).to.have.lengthOf(1);
      expect(server?.asked).to.have.lengthOf(3);
    });

    it('applies nothing of it where the clock is far off', async () => {
      theirs.insert('a');
      const answer = asReplica(theirs);
      await from(
        (request, response) => {
          if (request.url !== '/health') answer(request, response);
          else sendJson(response, { node: 'macbook', protocol: 1, server_time_ms: Date.now() + HOUR_MS });
        },
        {},
        { answeredLast },
      );
      expect(await codeOf(pullPeer(parts, never))).to.equal('clock_skew');
      expect(ours.keys).to.deep.equal([]);
    });

    it('asks again for a page that did not come, and tells why where it never does', async () => {
      theirs.insert('a');
      const answer = asReplica(theirs);
      let failures = 1;
      await from(
        (request, response) => {
          if (request.url === '/health' || (failures -= 1) < 0) answer(request, response);
          else sendJson(response, { error: { code: 'internal', message: 'no' } }, 500);
        },
        { network: { maxRetries: 0 } },
        { answeredLast },
      );
      expect(await pullPeer(parts, never)).to.include({ received: 1, applied: 1 });
      failures = 1_000;
      expect(await codeOf(pullPeer(parts, never))).to.equal('peer_failed');
    });

    it('lets others have their turn while it is tried again', async () => {
      theirs.insert('a');
      const answer = asReplica(theirs);
      const gate = new EventEmitter();
      const tried = once(gate, 'greeted again');
      let greetings = 0;
      await from(
        async (request, response) => {
          if (request.url !== '/health') return answer(request, response);
          greetings += 1;
          if (greetings === 1) return request.socket.destroy();
          gate.emit('greeted again');
          await once(gate, 'other pulled');
          return answer(request, response);
        },
        { network: { retryBackoffMs: 1 } },
        { answeredLast },
      );
      const pulled = pullPeer(parts, never);
      await tried;
      await parts.turns.run('other', () => Promise.resolve(), never);
      gate.emit('other pulled');
      expect(await pulled).to.include({ received: 1, applied: 1 });
    });

    it('starts over once where the peer does not know its cursor', async () => {
      theirs.insert('a', 'b');
      ours.cursors.set('macbook', 'ff.9.ab');
      expect(await pullPeer(await from(asReplica(theirs), {}, { answeredLast }), never)).to.include({
        applied: 2,
      });
      expect(ours.resets).to.equal(1);
    });
  });

  it('applies nothing where there is no room', async () => {
    theirs.insert('a');
    const admit = () => Promise.reject(new SyncError('low_disk', 'no room'));
    expect(await codeOf(pullPeer(await from(asReplica(theirs), {}, { admit }), never))).to.equal('low_disk');
    expect(ours.keys).to.deep.equal([]);
  });

  it('asks again for a damaged page', async () => {
    theirs.insert('a');
    const answer = asReplica(theirs);
    let damaged = 0;
    await from(
      (request, response) => {
        if (request.url !== '/health' && damaged++ < 2) response.writeHead(200).end('{"changes":');
        else answer(request, response);
      },
      { network: { maxRetries: 2 } },
    );
    expect(await pullPeer(parts, never)).to.include({ applied: 1 });
  });

  it('leaves the peer alone for a while after many failures, and says so', async () => {
    await from((_request, response) => response.writeHead(503).end(), { network: { breakerFailures: 2 } });
    expect(await codeOf(pullPeer(parts, never))).to.equal('peer_failed');
    expect(parts.attempts.breaker).to.equal('closed');
    expect(await codeOf(pullPeer(parts, never))).to.equal('peer_failed');
    expect(parts.attempts.breaker).to.equal('open');
    expect(await codeOf(pullPeer(parts, never))).to.equal('breaker_open');
    expect(server?.asked).to.have.length(2);
    parts.attempts.reset();
    expect(await codeOf(pullPeer(parts, never))).to.equal('peer_failed');
  });

  it('ends at once when it is stopped in the pause between two attempts', async () => {
    const stop = new AbortController();
    await from(
      (_request, response) => {
        response.writeHead(503).end();
        setImmediate(() => {
          stop.abort(new Error('stopped'));
        });
      },
      { network: { maxRetries: 3, retryBackoffMs: 30_000 } },
    );
    const outcome = await pullPeer(parts, stop.signal).catch((error: unknown) => error);
    expect(outcome).to.equal(stop.signal.reason);
  });

  it('applies no page that came after it was stopped', async () => {
    theirs.insert('a');
    const stop = new AbortController();
    const answer = asReplica(theirs);
    await from((request, response) => {
      if (request.url !== '/health') stop.abort(new Error('stopped'));
      answer(request, response);
    });
    await pullPeer(parts, stop.signal).catch(() => undefined);
    expect(ours.applied).to.deep.equal([]);
  });
});
