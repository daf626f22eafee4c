import type { Commits } from '../feed/commits.js';
import type { Logger } from '../log/logger.js';
import type { ReaderCalls } from '../threads/calls.js';

/** How soon a commit is seen when nobody waits for it: soon enough for the fold. */
const IDLE_INTERVAL_MS = 500;
/** How soon it is seen when a peer's request is held for it; one question serves all of them. */
const AWAITED_INTERVAL_MS = 20;
/** How soon after a hint: the file is written before the commit can be read. */
const HINT_DELAY_MS = 2;
/** Hints without a commit, of a large transaction that is being written, are followed no more often than this. */
const HINT_INTERVAL_MS = 5;

export interface CommitWatch extends Commits {
  /** Called after each commit that was seen. */
  onCommit(listener: () => void): void;
}

/**
 * Asks for `PRAGMA data_version` until the signal is aborted. The first answer counts as a commit, since there may
 * have been one between the caller's own look at the database and ours. `hints` is given a function to call when there may
 * have been a commit: where someone waits for it, it is then looked for at once, unless the last one was seen just now.
 */
export function watchCommits(
  reader: Pick<ReaderCalls, 'dataVersion'>,
  logger: Logger,
  signal: AbortSignal,
  hints: (onHint: () => void) => void = () => undefined,
): CommitWatch {
  const listeners: (() => void)[] = [];
  const waiting = new Set<() => void>();
  let version = 0;
  let seen: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  let asking = false;
  let failing = false;
  let hinted = false;
  let askedMs = -Infinity;
  let seenMs = -Infinity;

  function schedule(): void {
    clearTimeout(timer);
    if (signal.aborted || asking) return;
    timer = setTimeout(() => void ask(), delayMs());
  }

  function delayMs(): number {
    if (waiting.size === 0) return IDLE_INTERVAL_MS;
    if (!hinted) return AWAITED_INTERVAL_MS;
    const notBeforeMs = Math.max(askedMs + HINT_INTERVAL_MS, seenMs + AWAITED_INTERVAL_MS);
    return Math.max(HINT_DELAY_MS, notBeforeMs - performance.now());
  }

  function hint(): void {
    if (hinted) return;
    hinted = true;
    if (waiting.size > 0) schedule();
  }

  async function ask(): Promise<void> {
    asking = true;
    hinted = false;
    askedMs = performance.now();
    try {
      const now = await reader.dataVersion();
      if (now !== seen) tell();
      seen = now;
      failing = false;
    } catch (error) {
      if (!signal.aborted) logger.log(failing ? 'debug' : 'error', 'could not look for commits', { error });
      failing = true;
    }
    asking = false;
    schedule();
  }

  function tell(): void {
    version += 1;
    seenMs = performance.now();
    for (const goOn of waiting) goOn();
    for (const listener of listeners) listener();
  }

  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    for (const goOn of waiting) goOn();
  });
  hints(hint);
  void ask();
  return {
    get version() {
      return version;
    },
    onCommit(listener) {
      listeners.push(listener);
    },
    async after(known, end) {
      if (version > known || end.aborted || signal.aborted) return;
      let goOn = (): void => undefined;
      const commit = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      waiting.add(goOn);
      end.addEventListener('abort', goOn);
      if (waiting.size === 1) schedule();
      await commit;
      // One that is held for long waits for many commits.
      end.removeEventListener('abort', goOn);
      waiting.delete(goOn);
    },
  };
}
