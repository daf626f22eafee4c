/** How often a random test runs: in the suite, in `npm run test:random` (default: as in the suite), in `npm run soak`. */
export interface RunCounts {
  readonly suite: number;
  readonly random?: number;
  readonly soak: number;
}

/** What this run asks for; RUNS overrides it. */
export function runsOf({ suite, random = suite, soak }: RunCounts): number {
  const asked = process.env.RUNS;
  if (asked !== undefined) return Number(asked);
  if (process.env.SOAK !== undefined) return soak;
  return process.env.RANDOM_TESTS === undefined ? suite : random;
}

/** A seed for fast-check, printed so that FC_SEED can replay the run. */
export function printedSeed(runs: number): number {
  const seed = Number(process.env.FC_SEED ?? Date.now() % 2_147_483_647);
  console.log(`      ${runs} runs, seed ${seed} (FC_SEED=${seed} replays them)`);
  return seed;
}

/** Numbers from 0 to 1 that a seed determines, for what takes too long to be shrunk (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
