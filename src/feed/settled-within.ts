/** An answer is not held up for longer by an app that holds the write lock: then what is folded is served. */
export const MAX_FOLD_WAIT_MS = 200;

/** Waits for the work, whatever comes of it, but not for longer than this; whether it came to an end. */
export async function settledWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  // The fold logs its own failure.
  const settled = await Promise.race([work.then(isEnd, isEnd), timeout]);
  clearTimeout(timer);
  return settled;
}

function isEnd(): boolean {
  return true;
}
