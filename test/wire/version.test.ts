import { expect } from 'chai';
import fc from 'fast-check';
import { compareVersions, hasSeen, seenAfter, type Version } from '#src/wire/version.js';

function version(stamp: number, origin: string, fingerprint = 'aa', seen: Version['seen'] = null): Version {
  return { rank: 0, stamp, origin, fingerprint, seen };
}

describe('versions', () => {
  it('are ordered by rank, then stamp, then origin, then fingerprint', () => {
    expect(compareVersions({ ...version(1, 'a@1'), rank: 1 }, version(2, 'b@1'))).to.be.above(0);
    expect(compareVersions(version(2, 'a@1'), version(1, 'b@1'))).to.be.above(0);
    expect(compareVersions(version(1, 'b@1'), version(1, 'a@1'))).to.be.above(0);
    expect(compareVersions(version(1, 'a@1', 'bb'), version(1, 'a@1', 'aa'))).to.be.above(0);
    expect(compareVersions(version(1, 'a@1'), version(1, 'a@1'))).to.equal(0);
  });

  it('are a total order: of any three, whichever are compared first, one and the same wins', () => {
    const any = fc.record({
      rank: fc.nat({ max: 1 }),
      stamp: fc.nat({ max: 3 }),
      origin: fc.constantFrom('a@1', 'a@2', 'b@1'),
      fingerprint: fc.constantFrom('', 'aa', 'bb'),
      seen: fc.constant(null),
    });
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        const best = (x: Version, y: Version) => (compareVersions(x, y) >= 0 ? x : y);
        expect(best(best(a, b), c)).to.deep.equal(best(a, best(b, c)));
        expect(Math.sign(compareVersions(a, b))).to.equal(-Math.sign(compareVersions(b, a)) + 0);
      }),
    );
  });

  it('know what their author had seen, the version that they replaced included', () => {
    const first = version(5, 'a@1');
    const second = version(7, 'b@1', 'bb', seenAfter(first, 'b@1'));
    const third = version(9, 'a@1', 'cc', seenAfter(second, 'a@1'));
    expect(second.seen).to.deep.equal({ 'a@1': 5 });
    expect(third.seen).to.deep.equal({ 'b@1': 7 });
    expect(hasSeen(third, second)).to.equal(true);
    expect(hasSeen(third, first)).to.equal(true);
    expect(hasSeen(second, version(6, 'a@1'))).to.equal(false);
    expect(hasSeen(second, version(1, 'c@1'))).to.equal(false);
  });

  it('keep no list where one instance alone has edited', () => {
    expect(seenAfter(version(5, 'a@1'), 'a@1')).to.equal(null);
  });

  it('did not see another content under their own stamp and origin: two histories of one file', () => {
    expect(hasSeen(version(5, 'a@1', 'aa'), version(5, 'a@1', 'bb'))).to.equal(false);
  });
});
