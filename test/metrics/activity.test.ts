import { expect } from 'chai';
import { LATENCY_BOUNDS_MS, NO_LATENCIES, type Latencies } from '#src/apply/latency.js';
import { ACTIVITY_SECONDS, createActivity } from '#src/metrics/activity.js';

const START_S = 1_704_326_400;

/** So many changes that took no longer than the bound at this place. */
function latencies(...counted: readonly (readonly [place: number, changes: number])[]): Latencies {
  const counts = [...NO_LATENCIES.counts];
  let sumMs = 0;
  for (const [place, changes] of counted) {
    counts[place] = changes;
    sumMs += (LATENCY_BOUNDS_MS[place] ?? 100_000_000) * changes;
  }
  return { counts, sumMs };
}

describe('What happened by the second', () => {
  let nowMs = START_S * 1000;
  const at = (second: number): void => {
    nowMs = (START_S + second) * 1000 + 400;
  };
  const activityNow = () => createActivity(() => nowMs);

  it('is nothing where nothing happened', () => {
    const activity = activityNow();
    activity.folded({ entries: 0, versions: 0 });
    activity.applied({ applied: 0, latencies: NO_LATENCIES });
    activity.served(0);
    at(1);
    expect(activity.report(0)).to.deep.equal({ now_s: START_S + 1, seconds: [] });
  });

  it('is added up within a second, and kept apart from the next', () => {
    const activity = activityNow();
    at(0);
    activity.folded({ entries: 3, versions: 1 });
    activity.folded({ entries: 2, versions: 1 });
    activity.served(4);
    at(1);
    activity.applied({ applied: 7, latencies: NO_LATENCIES });
    expect(activity.report(0).seconds).to.deep.equal([
      { at_s: START_S, captured: 5, applied: 0, served: 4, latency: null },
      { at_s: START_S + 1, captured: 0, applied: 7, served: 0, latency: null },
    ]);
    expect(activity.report(START_S).seconds.map(({ at_s }) => at_s)).to.deep.equal([START_S + 1]);
  });

  it('tells the mean latency, and what 95 of 100 changes did not exceed', () => {
    const activity = activityNow();
    at(0);
    activity.applied({ applied: 20, latencies: latencies([0, 19], [4, 1]) });
    expect(activity.report(0).seconds[0]?.latency).to.deep.equal({ mean_ms: 22, most_ms: 10 });
    activity.applied({ applied: 10, latencies: latencies([LATENCY_BOUNDS_MS.length, 10]) });
    expect(activity.report(0).seconds[0]?.latency?.most_ms, 'longer than a day').to.equal(null);
  });

  it('is forgotten after as long as charts show', () => {
    const activity = activityNow();
    at(0);
    activity.served(1);
    at(ACTIVITY_SECONDS - 1);
    activity.served(2);
    expect(activity.report(0).seconds.map(({ served }) => served)).to.deep.equal([1, 2]);
    at(ACTIVITY_SECONDS);
    expect(activity.report(0).seconds.map(({ served }) => served)).to.deep.equal([2]);
    activity.served(3);
    expect(activity.report(0).seconds.map(({ served }) => served)).to.deep.equal([2, 3]);
  });

  it('does not show what lies ahead of a clock that was put back', () => {
    const activity = activityNow();
    at(100);
    activity.served(1);
    at(0);
    expect(activity.report(0).seconds).to.deep.equal([]);
  });
});
