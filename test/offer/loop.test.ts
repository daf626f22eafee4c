import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import type { Invited, OfferClient } from '#src/offer/client.js';
import { startOfferLoop, type OfferLoop } from '#src/offer/loop.js';
import { createOfferRecord } from '#src/offer/record.js';
import { createAttempts } from '#src/pull/attempts.js';
import { testConfig } from '../stand-ins/config.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { MemoryDatabase } from '../stand-ins/memory-database.js';

describe('the loop that offers', () => {
  const database = new MemoryDatabase('macbook', 'e1');
  let log: LogRecorder;
  let loop: OfferLoop;
  let asked: number;
  /** What the peer does when it is asked. */
  let onAsk: () => Promise<void>;

  beforeEach(() => {
    log = new LogRecorder();
    asked = 0;
    onAsk = () => Promise.resolve();
    const config = testConfig({ network: { breakerFailures: 3 } });
    loop = startOfferLoop({
      offer: {
        peer: 'desktop',
        client,
        attempts: createAttempts('desktop', config.network),
        tables: ['words'],
        clock: config.clock,
        page: (query) => database.reader.page(query),
        onSkew: () => undefined,
        onTaken: () => undefined,
        now: Date.now,
      },
      record: createOfferRecord('desktop', log.logger, Date.now),
    });
  });
  afterEach(() => loop.stop());

  const client: OfferClient = {
    async ask() {
      asked += 1;
      await onAsk();
      return invited('');
    },
    offer: () => Promise.resolve(invited(database.cursorAt(0))),
    close: () => Promise.resolve(),
  };

  function invited(cursor: string): Invited {
    const request = `since=${cursor}&node=desktop&epoch=e0`;
    const who = { protocol: 1, node: 'desktop', epoch: 'e0', server_time_ms: Date.now() };
    const taken = { received: 0, applied: 0, skipped: 0, conflicts: 0, quarantined: 0 };
    return {
      invitation: { ...who, cursor, pruned: 0, request, taken },
      skew: { skewMs: 0, uncertaintyMs: 1 },
    };
  }

  it('waits until it is called', async () => {
    expect(loop.state).to.include({ phase: 'waiting', lastAttemptMs: null });
    loop.offer();
    await log.until('offer finished');
    expect(loop.state).to.include({ failing: false, lastError: null });
    expect(asked).to.equal(1);
  });

  it('makes one more offer of all calls that come while one is on its way', async () => {
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    onAsk = () => held;
    loop.offer();
    await log.until('offer started');
    for (let calls = 0; calls < 5; calls += 1) loop.offer();
    goOn();
    await log.until('offer finished', 2);
    expect(asked).to.equal(2);
    expect(log.of('offer started')).to.have.length(2);
  });

  it('says a failure once until it is over, and once that it is', async () => {
    onAsk = () => Promise.reject(new SyncError('offer_refused', 'no', { hint: 'do this' }));
    for (let offers = 1; offers <= 3; offers += 1) {
      loop.offer();
      await log.until('offer failed', offers);
    }
    expect(log.of('offer failed', 'warn')).to.have.length(1);
    expect(loop.state)
      .to.include({ failing: true })
      .and.to.have.nested.property('lastError.code', 'offer_refused');
    onAsk = () => Promise.resolve();
    loop.offer();
    await log.until('offer finished', 1, 'info');
    expect(loop.state).to.include({ failing: false });
  });

  it('stays silent while the breaker is open, and still tells of the failure before', async () => {
    onAsk = () => Promise.reject(new SyncError('peer_failed', 'an error'));
    for (let offers = 1; offers <= 3; offers += 1) {
      loop.offer();
      await log.until('offer failed', offers);
    }
    loop.offer();
    await log.until('offer started', 4);
    await loop.stop();
    expect(asked).to.equal(3);
    expect(log.of('offer failed')).to.have.length(3);
    expect(loop.state.lastError?.code).to.equal('peer_failed');
  });

  it('ends within a request when the replica stops, and calls that no failure', async () => {
    onAsk = () => new Promise(() => undefined);
    loop.offer();
    await log.until('offer started');
    await loop.stop();
    expect(loop.state).to.include({ phase: 'stopped', failing: false });
  });
});
