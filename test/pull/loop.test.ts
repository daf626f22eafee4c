import { once, EventEmitter } from 'node:events';
import type { RequestListener } from 'node:http';
import { expect } from 'chai';
import { createLive } from '#src/pull/live.js';
import { startLoop, type PeerLoop } from '#src/pull/loop.js';
import type { PullParts } from '#src/pull/pull.js';
import { createRecord } from '#src/pull/state.js';
import type { ConfigOptions } from '../stand-ins/config.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { MemoryDatabase } from '../stand-ins/memory-database.js';
import { asNode, asReplica, freePort, sendJson, servePeer, type PeerServer } from './peer-server.js';
import { pullInto } from './setup.js';

const HOUR_MS = 3_600_000;

describe('the loop of a peer', () => {
  let theirs: MemoryDatabase;
  let ours: MemoryDatabase;
  let log: LogRecorder;
  let events: string[];
  let server: PeerServer | undefined;
  let parts: PullParts;
  let loop: PeerLoop;
  beforeEach(() => {
    theirs = new MemoryDatabase('macbook', 'aa');
    ours = new MemoryDatabase('desktop', 'bb');
    log = new LogRecorder();
    events = [];
  });
  afterEach(async () => {
    await loop.stop();
    await parts.client.close();
    await server?.close();
    server = undefined;
  });

  function start(
    address: string,
    times: { intervalMs?: number | null; reconnectIntervalMs?: number } = {},
    options: ConfigOptions = {},
  ) {
    parts = pullInto(ours, address, options);
    const record = createRecord({
      peer: 'macbook',
      clock: parts.clock,
      logger: log.logger,
      listener: {
        applied: (peer, { applied }) => events.push(`${peer} applied ${applied}`),
        conflict: (peer, conflicts) => events.push(`${peer} conflicts ${conflicts}`),
        peerLost: (peer) => events.push(`${peer} lost`),
        peerRegained: (peer) => events.push(`${peer} regained`),
      },
      now: Date.now,
    });
    const { intervalMs = HOUR_MS, reconnectIntervalMs = HOUR_MS } = times;
    const live = options.sync?.live === true ? createLive({ ...parts, logger: log.logger }) : null;
    loop = startLoop({ pull: parts, record, intervalMs, reconnectIntervalMs, live });
    return loop;
  }

  it('pulls at once, and says how much it applied', async () => {
    theirs.insert('a', 'b');
    server = await servePeer(asReplica(theirs));
    start(server.address);
    const line = await log.until('pull finished');
    expect(line)
      .to.include({ level: 'info', peer: 'macbook', applied: 2 })
      .and.to.have.property('durationMs');
    expect(log.of('pull started', 'info')).to.have.length(1);
    expect(events).to.deep.equal(['macbook applied 2']);
    expect(loop.state).to.include({ phase: 'waiting', lost: false, failing: false, breaker: 'closed' });
  });

  it('pulls again after the interval, without a line for nothing', async () => {
    server = await servePeer(asReplica(theirs));
    start(server.address, { intervalMs: 5 });
    await log.until('pull finished', 3);
    expect(log.of('pull finished', 'info')).to.have.length(1);
    expect(log.of('pull started', 'info')).to.have.length(1);
  });

  it('pulls when it is triggered, asking for a page while it greets a peer that it knows', async () => {
    let greetable: Promise<unknown> = Promise.resolve();
    const answer = asReplica(theirs);
    server = await servePeer(async (request, response) => {
      if (request.url === '/health') await greetable;
      else theirs.events.emit('page');
      answer(request, response);
    });
    start(server.address, { intervalMs: null });
    await log.until('pull finished');
    theirs.insert('a');
    greetable = once(theirs.events, 'page');
    loop.trigger(false);
    await log.until('pull finished', 2);
    expect(ours.keys).to.deep.equal(['a']);
  });

  it('pulls from the start when it is told to', async () => {
    theirs.insert('a');
    server = await servePeer(asReplica(theirs));
    start(server.address);
    await log.until('pull finished');
    loop.trigger(true);
    const line = await log.until('pull finished', 2);
    expect(line).to.include({ applied: 0, skipped: 1 });
    expect(ours.resets).to.equal(1);
  });

  it('makes one more pull for any number of triggers during one', async () => {
    const gate = new EventEmitter();
    const answer = asReplica(theirs);
    server = await servePeer(async (request, response) => {
      if (request.url !== '/health' && server?.asked.length === 2) {
        gate.emit('asked');
        await once(gate, 'open');
      }
      answer(request, response);
    });
    const asked = once(gate, 'asked');
    start(server.address);
    await asked;
    loop.trigger(false);
    loop.trigger(false);
    loop.trigger(false);
    expect(loop.state.phase).to.equal('pulling');
    gate.emit('open');
    await log.until('pull finished', 2);
    loop.trigger(false);
    await log.until('pull finished', 3);
    expect(server.asked.filter((path) => path !== '/health')).to.have.length(3);
  });

  it('says once that a peer is lost, probes it, and pulls at once when it is back', async () => {
    const port = await freePort();
    start(`http://127.0.0.1:${port}`, { reconnectIntervalMs: 10 });
    const lost = await log.until('peer is lost');
    expect(lost).to.include({ level: 'warn', peer: 'macbook' });
    expect(loop.state).to.include({ lost: true, failing: true });
    expect(loop.state.lastError).to.include({ code: 'peer_unreachable' });
    theirs.insert('a');
    server = await servePeer(asReplica(theirs), port);
    await log.until('peer is back');
    await log.until('pull finished');
    expect(ours.keys).to.deep.equal(['a']);
    expect(events).to.deep.equal(['macbook lost', 'macbook regained', 'macbook applied 1']);
    expect(log.of('peer is lost')).to.have.length(1);
    expect(loop.state).to.include({ lost: false, failing: false });
    expect(loop.state.lastError).to.include({ code: 'peer_unreachable' });
  });

  it('pulls from a lost peer when a person asks, without waiting for its probe', async () => {
    const port = await freePort();
    start(`http://127.0.0.1:${port}`);
    await log.until('peer is lost');
    server = await servePeer(asReplica(theirs), port);
    loop.trigger(false);
    await log.until('pull finished');
    expect(events).to.include('macbook regained');
  });

  it('only probes a lost peer when the schedule rings', async () => {
    start(`http://127.0.0.1:${await freePort()}`, { intervalMs: null, reconnectIntervalMs: 5 });
    await log.until('peer is lost');
    loop.tick();
    await new Promise(setImmediate);
    expect(log.of('pull started')).to.have.length(1);
  });

  it('closes the breaker when a lost peer is back', async () => {
    const port = await freePort();
    start(`http://127.0.0.1:${port}`, { reconnectIntervalMs: 10 }, { network: { breakerFailures: 1 } });
    await log.until('peer is lost');
    expect(loop.state.breaker).to.equal('open');
    server = await servePeer(asReplica(theirs), port);
    await log.until('pull finished');
    expect(loop.state.breaker).to.equal('closed');
  });

  it('warns once of a failure that stays, and says when it is over', async () => {
    let refusing = true;
    const answer = asReplica(theirs);
    server = await servePeer((request, response) => {
      if (request.url === '/health' || !refusing) answer(request, response);
      else sendJson(response, { error: { code: 'unauthorized', message: 'no key' } }, 401);
    });
    start(server.address, { intervalMs: 5 });
    await log.until('pull failed', 3);
    expect(log.of('pull failed', 'warn')).to.have.length(1);
    expect(loop.state).to.include({ failing: true, lost: false });
    loop.trigger(false); // whoever asks for a pull is told what became of it
    await log.until('pull failed', 2, 'warn');
    refusing = false;
    await log.until('pull finished');
    expect(log.of('pull finished', 'info')).to.have.length(1);
  });

  it('warns once of clocks that differ', async () => {
    const answer = asReplica(theirs);
    server = await servePeer((request, response) => {
      if (request.url !== '/health') answer(request, response);
      else sendJson(response, { node: 'macbook', protocol: 1, server_time_ms: Date.now() - 20_000 });
    });
    start(server.address, { intervalMs: 5 });
    await log.until('pull finished', 3);
    expect(log.of('clocks differ', 'warn')).to.have.length(1);
    expect(loop.state.skewMs).to.be.within(-21_000, -19_000);
  });

  it('stops at once while a peer is silent', async () => {
    const gate = new EventEmitter();
    server = await servePeer(asNode('macbook', () => gate.emit('asked')));
    const asked = once(gate, 'asked');
    start(server.address);
    await asked;
    await loop.stop();
    expect(loop.state.phase).to.equal('stopped');
    expect(log.of('pull failed')).to.deep.equal([]);
  });

  it('finishes the page that is being applied before it stops', async () => {
    theirs.insert('a');
    const release = ours.lock();
    const applying = once(ours.events, 'apply');
    server = await servePeer(asReplica(theirs));
    start(server.address);
    await applying;
    const stopped = loop.stop();
    release();
    await stopped;
    expect(ours.keys).to.deep.equal(['a']);
  });

  describe('that is live', () => {
    const live = { sync: { live: true } };
    const isQuestion = (path: string) => path.includes('peek=1');
    const pulls = () => server?.asked.filter((path) => path !== '/health' && !isQuestion(path)) ?? [];

    /** Serves, and tells of each question that comes. */
    async function serveQuestions(answer: RequestListener): Promise<EventEmitter> {
      const questions = new EventEmitter();
      server = await servePeer((request, response) => {
        answer(request, response);
        if (isQuestion(request.url ?? '')) questions.emit('asked');
      });
      return questions;
    }

    /** A peer that answers each question at once like this. */
    function eager(body: object, status = 200): RequestListener {
      const answer = asReplica(theirs);
      return (request, response) => {
        if (isQuestion(request.url ?? '')) sendJson(response, body, status);
        else answer(request, response);
      };
    }

    /** How long it takes until so many more questions were asked, in ms. */
    async function timeOf(count: number, questions: EventEmitter): Promise<number> {
      const startedMs = performance.now();
      for (let asked = 0; asked < count; asked += 1) await once(questions, 'asked');
      return performance.now() - startedMs;
    }

    it('pulls as soon as the peer has something, each time', async () => {
      const questions = await serveQuestions(asReplica(theirs));
      start(server?.address ?? '', {}, live);
      for (const key of ['a', 'b', 'c']) {
        await once(questions, 'asked');
        expect(loop.state).to.include({ live: true, phase: 'waiting' });
        theirs.insert(key);
      }
      await once(questions, 'asked');
      expect(ours.keys).to.deep.equal(['a', 'b', 'c']);
      expect(server?.asked.filter((path) => path === '/health')).to.have.length(1);
    });

    it('takes as one page what came while it pulled', async () => {
      const questions = await serveQuestions(asReplica(theirs));
      start(server?.address ?? '', {}, live);
      await once(questions, 'asked');
      const applying = once(ours.events, 'apply');
      theirs.insert('first');
      await applying;
      for (let key = 0; key < 500; key += 1) theirs.insert(String(key));
      while (ours.keys.length < 501) await once(ours.events, 'insert');
      // one each for the start, the first row and the rest, and one more where the rest came in two
      expect(pulls().length).to.be.within(3, 4);
    });

    it('pulls at once when it is told to, while the peer holds the question', async () => {
      const questions = await serveQuestions(eager({ news: false }));
      const held = asReplica(new MemoryDatabase('macbook', 'aa'));
      server?.close().catch(() => undefined);
      server = await servePeer((request, response) => {
        (isQuestion(request.url ?? '') ? held : asReplica(theirs))(request, response);
        if (isQuestion(request.url ?? '')) questions.emit('asked');
      });
      start(server.address, {}, live);
      await once(questions, 'asked');
      theirs.insert('a');
      loop.trigger(false);
      await log.until('pull finished', 2);
      expect(ours.keys).to.deep.equal(['a']);
      await once(questions, 'asked');
    });

    it('asks later and later a peer that says it has something and has not', async () => {
      const questions = await serveQuestions(eager({ news: true }));
      start(server?.address ?? '', {}, live);
      await once(questions, 'asked');
      // 40, 80, 160 and 320 ms
      expect(await timeOf(4, questions)).to.be.greaterThan(550);
      expect(pulls()).to.have.length(5);
    });

    for (const [what, body, status] of [
      ['answers at once that there is nothing', { news: false }, 200],
      ['answers something else', { changes: [] }, 200],
      ['does not know the question', { error: { code: 'bad_query', message: 'peek' } }, 400],
    ] as const) {
      it(`asks later and later a peer that ${what}, says so once, and pulls at the interval`, async () => {
        const questions = await serveQuestions(eager(body, status));
        start(server?.address ?? '', {}, live);
        await once(questions, 'asked');
        expect(await timeOf(2, questions)).to.be.greaterThan(1_400);
        await log.until('changes of the peer do not arrive at once', 3);
        expect(log.of('changes of the peer do not arrive at once', 'info')).to.have.length(1);
        expect(loop.state).to.include({ live: false, failing: false, lost: false });
        theirs.insert('a');
        loop.tick();
        while (ours.keys.length < 1) await once(ours.events, 'insert');
      });
    }

    it('asks a peer that failed again, however short the interval is', async () => {
      const questions = await serveQuestions(eager({ news: false }));
      start(server?.address ?? '', { intervalMs: 100 }, live);
      await timeOf(3, questions);
      expect(pulls().length).to.be.greaterThan(3);
    }).timeout(30_000);

    it('sees at once that a peer is lost, and hears of its changes again when it is back', async () => {
      const questions = await serveQuestions(asReplica(theirs));
      const { port = 0 } = server ?? {};
      start(server?.address ?? '', { reconnectIntervalMs: 10 }, live);
      await once(questions, 'asked');
      await server?.close();
      await log.until('peer is lost');
      expect(loop.state).to.include({ live: false, lost: true });
      theirs.insert('a');
      server = await servePeer((request, response) => {
        asReplica(theirs)(request, response);
        if (isQuestion(request.url ?? '')) questions.emit('asked again');
      }, port);
      await once(questions, 'asked again');
      expect(loop.state).to.include({ live: true, lost: false });
      theirs.insert('b');
      while (ours.keys.length < 2) await once(ours.events, 'insert');
      expect(log.of('peer is lost')).to.have.length(1);
    });

    it('stops at once while the peer holds the question', async () => {
      const questions = await serveQuestions(asReplica(theirs));
      start(server?.address ?? '', {}, live);
      await once(questions, 'asked');
      await loop.stop();
      expect(loop.state.phase).to.equal('stopped');
      expect(log.of('changes of the peer do not arrive at once')).to.deep.equal([]);
    });

    it('pulls at the interval all the same', async () => {
      const held = asReplica(new MemoryDatabase('macbook', 'aa'));
      const answer = asReplica(theirs);
      server = await servePeer((request, response) => {
        (isQuestion(request.url ?? '') ? held : answer)(request, response);
      });
      start(server.address, { intervalMs: 50 }, live);
      await log.until('pull finished');
      theirs.insert('a');
      while (ours.keys.length < 1) await once(ours.events, 'insert');
    });
  });
});
