import type { Commits } from '../feed/commits.js';
import type { Logger } from '../log/logger.js';
import type { ReaderCalls } from '../threads/calls.js';

/** How soon a commit is seen when nobody waits for it: soon enough for the fold. */
const IDLE_INTERVAL_MS = 500;
/** How soon it is seen when a peer's request is held for it; one question serves all of them. */
const AWAITED_INTERVAL_MS = 20;

export interface CommitWatch extends Commits {
  /** Called after each commit that was seen. */
  onCommit(listener: () => void): void;
}

/**
 * Asks for `PRAGMA data_version` until the signal is aborted. The first answer counts as a commit, since there may
 * have been one between the caller's own look at the database and ours.
 */
export function watchCommits(
  reader: Pick<ReaderCalls, 'dataVersion'>,
  logger: Logger,
  signal: AbortSignal,
): CommitWatch {
  const listeners: (() => void)[] = [];
  const waiting = new Set<() => void>();
  let version = 0;
  let seen: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  let asking = false;
  let failing = false;

  function schedule(): void {
    clearTimeout(timer);
    if (signal.aborted || asking) return;
    timer = setTimeout(() => void ask(), waiting.size > 0 ? AWAITED_INTERVAL_MS : IDLE_INTERVAL_MS);
  }

  async function ask(): Promise<void> {
    asking = true;
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
    for (const goOn of waiting) goOn();
    for (const listener of listeners) listener();
  }

  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    for (const goOn of waiting) goOn();
  });
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
      let goOn: (() => void) | undefined;
      const commit = new Promise<void>((resolve) => {
        goOn = resolve;
        waiting.add(resolve);
        end.addEventListener('abort', () => {
          resolve();
        });
      });
      if (waiting.size === 1) schedule();
      await commit;
      if (goOn !== undefined) waiting.delete(goOn);
    },
  };
}
