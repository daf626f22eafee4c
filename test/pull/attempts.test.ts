import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { createAttempts } from '#src/pull/attempts.js';
import { testConfig } from '../stand-ins/config.js';
import { rejectionOf } from '../thrown.js';

describe('the attempts at a peer', () => {
  const { network } = testConfig({
    network: { maxRetries: 3, retryBackoffMs: 1, breakerFailures: 2 },
  });
  const { signal } = new AbortController();

  it('end with the failure that opened the breaker, which says what is wrong, and then with the breaker', async () => {
    const attempts = createAttempts('macbook', network);
    let count = 0;
    const fail = () => {
      count += 1;
      return Promise.reject(new SyncError('peer_unreachable', `attempt ${count}`));
    };
    expect(await rejectionOf(attempts.run(fail, signal))).to.include({
      code: 'peer_unreachable',
      message: 'attempt 2',
    });
    expect(attempts.breaker).to.equal('open');
    expect((await rejectionOf(attempts.run(fail, signal))).code).to.equal('breaker_open');
    expect(count).to.equal(2);
  });

  it('end with their own failure where others have opened the breaker meanwhile', async () => {
    const attempts = createAttempts('macbook', network);
    const fail = (code: string) => () => Promise.reject(new SyncError(code, 'no'));
    const both = [fail('peer_unreachable'), fail('peer_failed')].map((each) => attempts.run(each, signal));
    const codes = (await Promise.all(both.map(rejectionOf))).map(({ code }) => code);
    expect(codes).to.deep.equal(['peer_unreachable', 'peer_failed']);
  });
});
