import type { Measure } from '../bench.js';
import { outcome } from '../outcome.js';

const MAX_MIB = 250;

/** The peak counts, and a second run of the same rows would say the same: one is made. */
export const measure: Measure = {
  number: 10,
  title: 'memory of the daemon during a first sync',
  quick: false,
  async run(bench) {
    const { small, large } = bench.sizes;
    const few = await bench.synced(small);
    const many = await bench.synced(large);
    const ours = { name: `${large} rows`, values: [many.peakMemoryMiB] };
    return [
      outcome(10, {
        what: `peak memory of a daemon in a first sync of ${large} rows, beside of ${small}`,
        unit: 'MiB',
        ours,
        beside: { name: `${small} rows`, values: [few.peakMemoryMiB] },
        goal: { atMost: 2 },
        note: 'resident memory, the larger of the two daemons',
      }),
      outcome(10, {
        what: `peak memory of a daemon in a first sync of ${large} rows`,
        unit: 'MiB',
        ours,
        goal: { atMost: MAX_MIB },
      }),
    ];
  },
};
