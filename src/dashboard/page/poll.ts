/** Between two looks while somebody sees the page. */
const LOOK_MS = 1_500;
/** While nobody does: often enough that charts have no hole. */
const HIDDEN_LOOK_MS = 60_000;
/** After failures it doubles up to this. */
const MAX_PAUSE_MS = 8_000;

/**
 * Calls `look` again and again, the next time a pause after it has ended, and at once where the page comes in sight; what
 * it rejects with goes to `onFailure`. Returns the function that ends it.
 */
export function poll(look: () => Promise<void>, onFailure: (error: unknown) => void): () => void {
  let stopped = false;
  let failures = 0;
  let goOn: () => void = () => undefined;
  let again = false;

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, pauseMs(failures));
      goOn = () => {
        clearTimeout(timer);
        resolve();
      };
      if (again) goOn();
      again = false;
    });
  const onVisible = (): void => {
    if (document.hidden) return;
    again = true;
    goOn();
  };
  document.addEventListener('visibilitychange', onVisible);

  const run = async (): Promise<void> => {
    while (!isStopped()) {
      again = false;
      try {
        await look();
        failures = 0;
      } catch (error) {
        failures += 1;
        onFailure(error);
      }
      if (!isStopped()) await pause();
    }
  };
  const isStopped = (): boolean => stopped;
  void run();
  return () => {
    stopped = true;
    document.removeEventListener('visibilitychange', onVisible);
    goOn();
  };
}

function pauseMs(failures: number): number {
  if (document.hidden) return HIDDEN_LOOK_MS;
  return Math.min(MAX_PAUSE_MS, LOOK_MS * 2 ** Math.min(failures, 10));
}
