/** A commit without a hint weighs as much as so many with one: our own may have them, and those of others not. */
const MISS_WEIGHT = 4;
/** Two in a row are too many; one may just have been seen before its hint. */
const MOST_MISSED = 2 * MISS_WEIGHT - 1;
const LONGEST_MEMORY = 100 * MISS_WEIGHT;

/** Whether commits come with hints, so that there is no need to look for them often. */
export interface HintTrust {
  readonly hints: boolean;
  hinted(): void;
  /** A commit was seen. Its hint came before, or comes in this turn of the event loop. */
  committed(): void;
}

export function createTrust(): HintTrust {
  let isHinted = false;
  let isEverHinted = false;
  let missed = 0;
  return {
    get hints() {
      return isEverHinted && missed <= MOST_MISSED;
    },
    hinted() {
      isHinted = true;
      isEverHinted = true;
    },
    committed() {
      setImmediate(() => {
        missed = isHinted ? Math.max(0, missed - 1) : Math.min(LONGEST_MEMORY, missed + MISS_WEIGHT);
        isHinted = false;
      });
    },
  };
}
