import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { meteredRecord } from '#src/pull/metered-record.js';
import type { PullResult } from '#src/pull/pull.js';
import { createRecord } from '#src/pull/state.js';
import { testConfig } from '../stand-ins/config.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';

const RESULT: PullResult = {
  peer: 'laptop',
  pages: 1,
  received: 0,
  applied: 0,
  skipped: 0,
  conflicts: 0,
  quarantined: 0,
  behind: 0,
  durationMs: 1,
};

describe('A metered record of pulls', () => {
  const ends: string[] = [];
  let elapsedMs = 0;
  const silent = () => undefined;
  const record = meteredRecord(
    createRecord({
      peer: 'laptop',
      clock: testConfig().clock,
      logger: new LogRecorder().logger,
      listener: { applied: silent, conflict: silent, peerLost: silent, peerRegained: silent },
      now: () => elapsedMs,
    }),
    'laptop',
    (peer, end, durationMs) => ends.push(`${peer} ${end} ${durationMs}`),
    () => elapsedMs,
  );

  it('tells how each pull has ended, and how long it took', () => {
    const pull = (durationMs: number, end: () => void) => {
      record.started(false);
      elapsedMs += durationMs;
      end();
    };
    const failed = (error: unknown) => () => {
      record.failed(error, false);
    };
    pull(5, () => {
      record.succeeded(RESULT, false);
    });
    pull(7, failed(new SyncError('peer_unreachable', 'nothing listens there')));
    pull(0, failed(new SyncError('breaker_open', 'is left alone')));
    pull(3, failed(new SyncError('clock_skew', 'clocks differ')));
    pull(1, failed(new TypeError('Expected something else')));
    expect(ends).to.deep.equal([
      'laptop success 5',
      'laptop unreachable 7',
      'laptop breaker_open 0',
      'laptop failed 3',
      'laptop failed 1',
    ]);
  });

  it('has the state of the record that it meters', () => {
    record.started(false);
    expect(record.state).to.include({ phase: 'pulling', failing: true });
    record.ended();
    expect(record.state.phase).to.equal('stopped');
    expect(ends).to.have.length(5);
  });
});
