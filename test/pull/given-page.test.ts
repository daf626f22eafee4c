import { once, EventEmitter } from 'node:events';
import type { RequestListener } from 'node:http';
import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { createLive } from '#src/pull/live.js';
import { startLoop, type PeerLoop } from '#src/pull/loop.js';
import type { PullParts } from '#src/pull/pull.js';
import { createRecord } from '#src/pull/state.js';
import { unheard } from '#src/wire/members.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { MemoryDatabase } from '../stand-ins/memory-database.js';
import { asReplica, sendJson, sendPage, servePeer, type PeerServer } from './peer-server.js';
import { pullInto } from './setup.js';

const HOUR_MS = 3_600_000;

describe('a page that comes with the answer to a question', () => {
  let theirs: MemoryDatabase;
  let ours: MemoryDatabase;
  let log: LogRecorder;
  let server: PeerServer;
  let parts: PullParts;
  beforeEach(() => {
    theirs = new MemoryDatabase('macbook', 'aa');
    ours = new MemoryDatabase('desktop', 'bb');
    log = new LogRecorder();
  });
  afterEach(async () => {
    await parts.client.close();
    await server.close();
  });

  describe('in the loop of a peer', () => {
    let questions: EventEmitter;
    let loop: PeerLoop;
    afterEach(() => loop.stop());

    const isQuestion = (path: string) => path.includes('peek=1');
    const pulls = () => server.asked.filter((path) => path !== '/health' && !isQuestion(path));

    async function start(rest: Partial<PullParts> = {}): Promise<void> {
      // The first pull from a peer compares everything; a question before its end wants no page.
      ours.cursors.set('macbook', theirs.cursorAt(0));
      questions = new EventEmitter();
      const answer = asReplica(theirs, true);
      server = await servePeer((request, response) => {
        answer(request, response);
        if (isQuestion(request.url ?? '')) questions.emit('asked');
      });
      parts = pullInto(ours, server.address, {}, rest);
      const { logger } = log;
      const listener = {
        applied: () => undefined,
        conflict: () => undefined,
        peerLost: () => undefined,
        peerRegained: () => undefined,
      };
      const record = createRecord({ peer: 'macbook', clock: parts.clock, logger, listener, now: Date.now });
      const live = createLive({ ...parts, logger });
      const times = { intervalMs: HOUR_MS, reconnectIntervalMs: HOUR_MS };
      loop = startLoop({ pull: parts, record, ...times, live });
      await once(questions, 'asked');
    }

    it('is applied without being asked for', async () => {
      await start();
      for (const key of ['a', 'b', 'c']) {
        theirs.insert(key);
        await once(questions, 'asked');
      }
      expect(ours.keys).to.deep.equal(['a', 'b', 'c']);
      expect(pulls()).to.have.length(1);
      expect(server.asked.filter((path) => path === '/health')).to.have.length(1);
    });

    it('is asked for again where another process has pulled it meanwhile', async () => {
      await start();
      ours.cursors.set('macbook', '');
      theirs.insert('a');
      await once(questions, 'asked');
      expect(ours.keys).to.deep.equal(['a']);
      expect(ours.applied.map(({ since }) => since)).to.deep.equal([
        theirs.cursorAt(0),
        theirs.cursorAt(0),
        '',
      ]);
      expect(pulls()).to.have.length(2);
    });

    it('is not wanted where nothing may be applied: the pull says why', async () => {
      let asked = 0;
      const admit = () => {
        asked += 1;
        return asked === 1 ? Promise.resolve() : Promise.reject(new SyncError('low_disk', 'no room'));
      };
      await start({ admit });
      expect(server.asked.at(-1)).not.to.include('rows=own');
      theirs.insert('a');
      expect(JSON.stringify(await log.until('pull failed'))).to.include('no room');
    });
  });

  it('is checked as one that was asked for', async () => {
    let answer: RequestListener = (_request, response) => {
      sendPage(response, { changes: [] });
    };
    server = await servePeer((request, response) => {
      answer(request, response);
    });
    parts = pullInto(ours, server.address);
    const never = new AbortController().signal;
    const member = {
      ...unheard('desktop', 'e1'),
      tables: '0123456789abcdef',
      born_ms: 5,
      told_ms: 7,
      held: 1,
    };
    const rest = { known: null, full: false, witness: null, heard: null, waitMs: 1_000 };
    const question = { ...rest, since: 'e0.1.ab', member, own: true };
    const page = await parts.client.news(question, never);
    expect(typeof page === 'boolean' ? page : Buffer.from(page.body).toString()).to.equal('{"changes":[]}');
    answer = (_request, response) => {
      sendJson(response, { news: true });
    };
    expect(await parts.client.news({ ...question, own: false }, never)).to.equal(true);
    answer = (_request, response) => {
      response.writeHead(200, { 'x-page-sha256': '0'.repeat(64) }).end('{"changes":[]}');
    };
    const fault: unknown = await parts.client.news(question, never).catch((error: unknown) => error);
    expect(fault).to.include({ code: 'page_damaged' });
    const asked = '/sync/changes?since=e0.1.ab&node=desktop&epoch=e1&peek=1&wait=1';
    const wanted = `${asked}&rows=own&born=5&told=7&held=1&holds=0123456789abcdef&claims=`;
    expect(server.asked).to.deep.equal([wanted, asked, wanted]);
  });
});
