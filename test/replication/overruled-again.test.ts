import { expect } from 'chai';
import { QuickGroup, tableConfig } from './quick-replica.js';
import { SCHEMA, Witness } from './witness.js';

describe('a version that is overruled twice', () => {
  it('is an open conflict again, where it stood between: its winner was held, and dropped', () => {
    const group = new QuickGroup(SCHEMA, [tableConfig('words')]);
    try {
      const ann = new Witness(group, 'ann', 'narrow');
      const bob = new Witness(group, 'bob', 'plain');
      const cid = new Witness(group, 'cid', 'plain');
      bob.write('b', 0);
      group.nowMs += 1_000;
      cid.write('b', 0);
      ann.pullFrom(bob);
      ann.pullFrom(cid);
      expect(ann.drop(0)).to.equal(1);
      ann.become('plain');
      ann.pullFrom(bob);
      expect(ann.replica.conflicts(), 'while it stands').to.deep.equal([]);
      ann.pullFrom(cid);
      expect(ann.replica.conflicts().map(({ local, remote }) => [local.won, remote.won])).to.deep.equal([
        [false, true],
      ]);
      ann.expectNothingLost();
    } finally {
      group.remove();
    }
  });
});
