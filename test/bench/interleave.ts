/** One side of a comparison: makes one run and resolves to its figure. */
export type Run = () => number | Promise<number>;

/** Says what each run gave, as it comes. */
export type Say = (line: string) => void;

/**
 * Runs all sides in turn, A, B, A, B: what the machine does beside the benchmark meets all of them alike. The figures
 * of each side, in order.
 */
export async function interleave<Name extends string>(
  runs: number,
  sides: Readonly<Record<Name, Run>>,
  say: Say,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(sides) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let run = 1; run <= runs; run += 1) {
    const line: string[] = [];
    for (const name of names) {
      const figure = await sides[name]();
      figures[name].push(figure);
      line.push(`${name} ${figure.toFixed(figure < 100 ? 2 : 0)}`);
    }
    say(`run ${run} of ${runs}: ${line.join(', ')}`);
  }
  return figures;
}

/** How long work takes, in ms. */
export async function timed(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
