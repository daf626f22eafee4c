import { expect } from 'chai';
import { isSkewed, skewOf } from '#src/clock/skew.js';

describe('the skew between two clocks', () => {
  it('takes the middle of the exchange as the moment of the other reading', () => {
    expect(skewOf({ sentMs: 1000, receivedMs: 1200, theirsMs: 1100 })).to.deep.equal({
      skewMs: 0,
      uncertaintyMs: 100,
    });
    expect(skewOf({ sentMs: 1000, receivedMs: 1200, theirsMs: 6100 }).skewMs).to.equal(5000);
    expect(skewOf({ sentMs: 1000, receivedMs: 1200, theirsMs: 100 }).skewMs).to.equal(-1000);
  });

  it('counts only what the way of the answer can not explain', () => {
    const slow = skewOf({ sentMs: 0, receivedMs: 10_000, theirsMs: 10_900 });
    expect(slow).to.deep.equal({ skewMs: 5900, uncertaintyMs: 5000 });
    expect(isSkewed(slow, 5000)).to.equal(false);
    expect(isSkewed({ skewMs: -5900, uncertaintyMs: 100 }, 5000)).to.equal(true);
    expect(isSkewed({ skewMs: 5000, uncertaintyMs: 0 }, 5000)).to.equal(false);
  });
});
