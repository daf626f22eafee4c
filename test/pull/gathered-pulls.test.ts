import { once, EventEmitter } from 'node:events';
import { expect } from 'chai';
import { gatherPulls } from '#src/pull/gathered-pulls.js';
import type { PullResult } from '#src/pull/pull.js';

const PULL: PullResult = {
  peer: 'macbook',
  pages: 1,
  received: 3,
  applied: 2,
  skipped: 1,
  conflicts: 0,
  quarantined: 0,
  behind: 0,
  durationMs: 10,
};

describe('pulls that follow each other', () => {
  it('are said at once, then as one when their time is over, then at once again', async () => {
    const events = new EventEmitter();
    const said: PullResult[] = [];
    const gathered = gatherPulls((sum) => {
      said.push(sum);
      events.emit('said');
    }, 20);
    gathered.add(PULL);
    expect(said).to.deep.equal([PULL]);
    gathered.add(PULL);
    gathered.add({ ...PULL, behind: 4, durationMs: 5 });
    expect(said).to.have.length(1);
    await once(events, 'said');
    const both = { pages: 2, received: 6, applied: 4, skipped: 2, behind: 4, durationMs: 15 };
    expect(said[1]).to.deep.equal({ ...PULL, ...both });
    gathered.flush();
    expect(said).to.have.length(2);
    gathered.add(PULL);
    expect(said).to.have.length(3);
    gathered.flush();
  });

  it('are said when whoever gathers them ends', () => {
    const said: PullResult[] = [];
    const gathered = gatherPulls((sum) => said.push(sum), 60_000);
    gathered.add(PULL);
    gathered.add(PULL);
    gathered.flush();
    expect(said.map(({ pages }) => pages)).to.deep.equal([1, 1]);
  });
});
