import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { Turns } from '#src/pull/turns.js';

const never = new AbortController().signal;
const FOREVER_MS = 3_600_000;

/** A pull that ends when it is told to. */
class Pull {
  begun = false;
  private end = (): void => undefined;
  private fail: (error: Error) => void = () => undefined;

  run = (): Promise<string> => {
    this.begun = true;
    return new Promise((resolve, reject) => {
      this.end = () => {
        resolve('pulled');
      };
      this.fail = reject;
    });
  };

  finish(): void {
    this.end();
  }

  break(): void {
    this.fail(new Error('broken'));
  }
}

describe('the turns of pulls', () => {
  it('come one after the other, also where one fails', async () => {
    const turns = new Turns(FOREVER_MS);
    const [first, second, third] = [new Pull(), new Pull(), new Pull()];
    const results = [first, second, third].map((pull) => turns.run('ann', pull.run, never).catch(String));
    await setImmediate();
    expect([first.begun, second.begun, third.begun]).to.deep.equal([true, false, false]);
    first.break();
    expect(await results[0]).to.equal('Error: broken');
    await setImmediate();
    expect([second.begun, third.begun]).to.deep.equal([true, false]);
    second.finish();
    expect(await results[1]).to.equal('pulled');
    await setImmediate();
    third.finish();
    expect(await results[2]).to.equal('pulled');
  });

  it('are not waited for beyond all patience', async () => {
    const turns = new Turns(1);
    const [slow, next] = [new Pull(), new Pull()];
    const slowly = turns.run('ann', slow.run, never);
    const result = turns.run('bob', next.run, never);
    while (!next.begun) await setImmediate();
    next.finish();
    expect(await result).to.equal('pulled');
    slow.finish();
    await slowly;
  });

  it('are waited for no more of a peer that outlasted it, until one of its pulls is quick again', async () => {
    const turns = new Turns(500);
    const begins = async (slow: Pull): Promise<boolean> => {
      const slowly = turns.run('ann', slow.run, never);
      const next = new Pull();
      const result = turns.run('bob', next.run, never);
      await setImmediate();
      const atOnce = next.begun;
      while (!next.begun) await setImmediate();
      next.finish();
      slow.finish();
      await Promise.all([result, slowly]);
      return atOnce;
    };
    expect(await begins(new Pull())).to.equal(false);
    expect(await begins(new Pull())).to.equal(true);
    await turns.run('ann', () => Promise.resolve(), never);
    expect(await begins(new Pull())).to.equal(false);
  });

  it('begin their time when they come, however long those before took', async () => {
    const turns = new Turns(40);
    const pulls = [new Pull(), new Pull(), new Pull()];
    const startedMs = performance.now();
    const results = pulls.map((pull, index) => turns.run(`peer ${index}`, pull.run, never));
    while (pulls.some(({ begun }) => !begun)) await setImmediate();
    expect(performance.now() - startedMs).to.be.greaterThan(75);
    for (const pull of pulls) pull.finish();
    await Promise.all(results);
  });

  it('are given up at once where the replica stops', async () => {
    const turns = new Turns(FOREVER_MS);
    const [slow, next] = [new Pull(), new Pull()];
    const slowly = turns.run('ann', slow.run, never);
    const stop = new AbortController();
    const result = turns.run('bob', next.run, stop.signal).catch((error: unknown) => error);
    stop.abort();
    expect(await result).to.equal(stop.signal.reason);
    expect(next.begun).to.equal(false);
    slow.finish();
    await slowly;
    expect(await turns.run('bob', () => Promise.resolve('free again'), never)).to.equal('free again');
  });
});
