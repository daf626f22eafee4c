/** What one figure of a measure may be at most; a ratio of ours to what it is measured beside, or a figure itself. */
export interface Goal {
  readonly atMost: number;
  /** What `--quick` has reached so far, where that is more: how much worse it has become is judged from there. */
  readonly soFar?: number;
}

/** The runs of one side, in the order in which they were made. */
export interface Side {
  readonly name: string;
  readonly values: readonly number[];
}

/** Ours beside something else, measured alternately in one run; or ours alone. */
export interface Outcome {
  /** The number of its measure. */
  readonly measure: number;
  readonly what: string;
  /** `ms`, `MB`, `bytes`, `rows`, `rows/s`, `MiB`, `% of a core`. */
  readonly unit: string;
  readonly ours: Side;
  readonly beside: Side | null;
  /** Median of ours by median of the other; null where ours stands alone. */
  readonly ratio: number | null;
  /** Of the ratio, or of our median where there is no ratio. Null: reported without a goal. */
  readonly goal: Goal | null;
  readonly note: string | null;
}

/** A comparison that could not be made here, and why. */
export interface NotMeasured {
  readonly measure: number;
  readonly what: string;
  readonly notMeasured: string;
}

export type Figure = Outcome | NotMeasured;

export interface OutcomeParts {
  readonly what: string;
  readonly unit: string;
  readonly ours: Side;
  readonly beside?: Side;
  readonly goal?: Goal;
  readonly note?: string;
}

export function outcome(measure: number, { what, unit, ours, beside, goal, note }: OutcomeParts): Outcome {
  const ratio = beside === undefined ? null : median(ours.values) / median(beside.values);
  return { measure, what, unit, ours, beside: beside ?? null, ratio, goal: goal ?? null, note: note ?? null };
}

/** The figure that the goal is about. */
export function judged({ ratio, ours }: Outcome): number {
  return ratio ?? median(ours.values);
}

export function isMeasured(figure: Figure): figure is Outcome {
  return 'ours' in figure;
}

/** Whether the goal is reached. */
export function reaches(figure: Figure): boolean {
  if (!isMeasured(figure) || figure.goal === null) return true;
  return judged(figure) <= figure.goal.atMost;
}

/** The regression guard: a goal may be exceeded by so much, as a share of it, or of what was reached so far. */
const TOLERANCE = 0.5;

/** Whether it is worse than the goal, or what was reached so far, by more than half. */
export function isRegression(figure: Figure): boolean {
  if (!isMeasured(figure) || figure.goal === null) return false;
  const { atMost, soFar = 0 } = figure.goal;
  return judged(figure) > Math.max(atMost, soFar) * (1 + TOLERANCE);
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value that this share of all does not exceed; between two for the median of an even number. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new TypeError('Expected at least one value');
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? 0;
  return share === 0.5 ? (below + above) / 2 : above;
}
