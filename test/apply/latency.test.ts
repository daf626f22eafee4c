import { expect } from 'chai';
import { LATENCY_BOUNDS_MS, LatencyTally, NO_LATENCIES, sumOfLatencies } from '#src/apply/latency.js';

const NOW_MS = 1_704_326_400_000;

describe('The latency of applied changes', () => {
  const change = (stamp: number, origin = 'desktop@7d0c') => ({
    version: { rank: 0, stamp, origin, fingerprint: '', seen: null },
  });

  it('is counted by the bucket that it falls in, up to its bound', () => {
    const tally = new LatencyTally(NO_LATENCIES, { nowMs: NOW_MS, elapsedMs: () => 0 });
    for (const ageMs of [0, 10, 11, 1000, 90_000_000]) tally.note(change(NOW_MS - ageMs));
    const { counts, sumMs } = tally.sum;
    const filled = counts.flatMap((count, place) => (count > 0 ? [[LATENCY_BOUNDS_MS[place], count]] : []));
    expect(filled).to.deep.equal([
      [10, 2],
      [25, 1],
      [1000, 1],
      [undefined, 1],
    ]);
    expect(sumMs).to.equal(90_001_021);
  });

  it('goes on while a part takes its time', () => {
    let elapsedMs = 5;
    const tally = new LatencyTally(NO_LATENCIES, { nowMs: NOW_MS, elapsedMs: () => elapsedMs });
    elapsedMs = 25;
    tally.note(change(NOW_MS));
    expect(tally.sum.sumMs).to.equal(20);
  });

  it('leaves out how far the clock of the origin is off, where that is known', () => {
    const skewsMs = { fast: 4000, slow: -4000 };
    const tally = (stamp: number, origin: string) => {
      const one = new LatencyTally(NO_LATENCIES, { nowMs: NOW_MS, elapsedMs: () => 0, skewsMs });
      one.note(change(stamp, origin));
      return one.sum.sumMs;
    };
    expect(tally(NOW_MS + 3990, 'fast@7d0c')).to.equal(10);
    expect(tally(NOW_MS - 4010, 'slow@7d0c')).to.equal(10);
    expect(tally(NOW_MS - 10, 'unknown@7d0c')).to.equal(10);
  });

  it('is nothing for a stamp from the future', () => {
    const tally = new LatencyTally(NO_LATENCIES, { nowMs: NOW_MS, elapsedMs: () => 0 });
    tally.note(change(NOW_MS + 1000));
    expect(tally.sum).to.deep.include({ sumMs: 0 });
    expect(tally.sum.counts[0]).to.equal(1);
  });

  it('of several parts adds up, and leaves them as they were', () => {
    const tally = new LatencyTally(NO_LATENCIES, { nowMs: NOW_MS, elapsedMs: () => 0 });
    tally.note(change(NOW_MS - 3));
    const part = tally.sum;
    expect(sumOfLatencies([part, part])).to.deep.include({ sumMs: 6 });
    expect(new LatencyTally(part, { nowMs: NOW_MS, elapsedMs: () => 0 }).sum).to.deep.equal(part);
    expect(NO_LATENCIES.counts.every((count) => count === 0)).to.equal(true);
  });
});
