import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { ownersCheck } from '#src/feed/owners.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';

const MINUTE_MS = 60_000;

describe('two databases with one node id', () => {
  let nowMs: number;
  let log: LogRecorder;
  let hear: (epoch: string | null, node?: string | null) => string;

  beforeEach(() => {
    nowMs = 0;
    log = new LogRecorder();
    const check = ownersCheck(log.logger, () => nowMs);
    hear = (epoch, node = 'laptop') => {
      nowMs += 1_000;
      try {
        check({ node, epoch });
        return 'served';
      } catch (error) {
        return error instanceof SyncError ? error.code : 'thrown';
      }
    };
  });

  it('are both refused once they were heard of in turns', () => {
    expect(['e1', 'e2', 'e1', 'e2', 'e1'].map((epoch) => hear(epoch))).to.deep.equal([
      'served',
      'served',
      'two_owners',
      'two_owners',
      'two_owners',
    ]);
  });

  it('are logged once, and not with every request', () => {
    for (const epoch of ['e1', 'e2', 'e1', 'e2', 'e1', 'e2']) hear(epoch);
    expect(log.lines.filter(({ level }) => level === 'error')).to.have.length(1);
  });

  it('are told from a database that was restored: its old epoch is not heard of again', () => {
    expect(['e1', 'e1', 'e2', 'e2', 'e3'].map((epoch) => hear(epoch))).to.not.include('two_owners');
  });

  it('are no trouble to other nodes, nor to requests that name none', () => {
    for (const epoch of ['e1', 'e2', 'e1']) hear(epoch);
    expect(hear('e1', 'desktop')).to.equal('served');
    expect(hear(null)).to.equal('served');
    expect(hear('e1', null)).to.equal('served');
  });

  it('are served again when one was silent for ten minutes', () => {
    for (const epoch of ['e1', 'e2', 'e1']) hear(epoch);
    nowMs += 9 * MINUTE_MS;
    expect(hear('e1')).to.equal('two_owners');
    nowMs += 2 * MINUTE_MS;
    expect(hear('e1')).to.equal('served');
  });
});
