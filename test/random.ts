/** How often a random test runs: fewer in the suite, more in `npm run soak`. RUNS overrides both. */
export function runsOf(counts: { suite: number; soak: number }): number {
  const asked = process.env.RUNS;
  if (asked !== undefined) return Number(asked);
  return process.env.SOAK === undefined ? counts.suite : counts.soak;
}

/** A seed for fast-check, printed so that FC_SEED can replay the run. */
export function printedSeed(runs: number): number {
  const seed = Number(process.env.FC_SEED ?? Date.now() % 2_147_483_647);
  console.log(`      ${runs} runs, seed ${seed} (FC_SEED=${seed} replays them)`);
  return seed;
}
