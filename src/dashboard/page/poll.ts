/** Between two looks while somebody sees the page. */
const LOOK_MS = 1_500;
/** While nobody does: often enough that charts have no hole. */
const HIDDEN_LOOK_MS = 60_000;
/** After failures it doubles up to this. */
const MAX_PAUSE_MS = 30_000;

export interface Polling {
  /** Looks again at once. */
  wake(): void;
  stop(): void;
}

/** Calls `look` again and again, the next time a pause after it has ended; what it rejects with goes to `onFailure`. */
export function poll(look: () => Promise<void>, onFailure: (error: unknown) => void): Polling {
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
  const wake = (): void => {
    again = true;
    goOn();
  };
  const onVisible = (): void => {
    if (!document.hidden) wake();
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
  return {
    wake,
    stop() {
      stopped = true;
      document.removeEventListener('visibilitychange', onVisible);
      goOn();
    },
  };
}

function pauseMs(failures: number): number {
  if (document.hidden) return HIDDEN_LOOK_MS;
  return Math.min(MAX_PAUSE_MS, LOOK_MS * 2 ** Math.min(failures, 10));
}
