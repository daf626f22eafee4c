import { expect } from 'chai';
import { startCron } from '#src/replica/cron.js';
import { repeat } from '#src/replica/repeat.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';

describe('work that is repeated', () => {
  it('runs again after it ended, logs a failure once, and ends when it is told to', async () => {
    const log = new LogRecorder();
    const end = new AbortController();
    let runs = 0;
    await new Promise<void>((resolve) => {
      const work = () => {
        runs += 1;
        if (runs === 5) {
          end.abort();
          resolve();
        }
        return runs % 4 === 0 ? Promise.resolve() : Promise.reject(new Error('no'));
      };
      repeat(1, work, { what: 'work failed', logger: log.logger, signal: end.signal });
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(runs).to.equal(5);
    expect(log.of('work failed', 'warn')).to.have.length(1);
  });

  it('runs by a cron line with seconds until it is told to end', async () => {
    const log = new LogRecorder();
    const end = new AbortController();
    const work = () => {
      end.abort();
      throw new Error('no');
    };
    const ran = new Promise<void>((resolve) => {
      startCron('* * * * * *', () => Promise.resolve().then(resolve).then(work), {
        what: 'cron failed',
        logger: log.logger,
        signal: end.signal,
      });
    });
    await ran;
    expect(log.of('cron failed')).to.deep.equal([]);
  });
});
