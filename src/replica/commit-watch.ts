import type { Commits } from '../feed/commits.js';
import type { Logger } from '../log/logger.js';
import type { ReaderCalls } from '../threads/calls.js';
import type { Arm } from './file-hints.js';
import { createTrust } from './hint-trust.js';

/** How soon a commit is seen when nobody waits for it: soon enough for the fold. */
const IDLE_INTERVAL_MS = 500;
/** How soon it is seen when a peer's request is held for it; one question serves all of them. */
const AWAITED_INTERVAL_MS = 20;
/** A peer whose request was answered pulls, and is back with another: meanwhile commits are looked for as if it were held. */
const AWAITED_FOR_MS = 200;
/** Then, where hints come with the commits. */
const HINTED_INTERVAL_MS = 250;
/** Hints without a commit, of a large transaction that is being written, are followed no more often than this. */
const HINT_INTERVAL_MS = 5;
/** The file is written just before the commit can be read: after a hint without one it is looked again after these. */
const RETRIES_MS = [1, 3] as const;

export interface CommitWatch extends Commits {
  /** Called after each commit that was seen. */
  onCommit(listener: () => void): void;
}

/**
 * Asks for `PRAGMA data_version` until the signal is aborted. The first answer counts as a commit, since there may
 * have been one between the caller's own look at the database and ours. `hints` is given a function to call when there may
 * have been a commit: where someone waits for it, it is then looked for at once, unless the last one was seen just now.
 * What it returns is called before each look, to ask for the next hint.
 */
export function watchCommits(
  reader: Pick<ReaderCalls, 'dataVersion'>,
  logger: Logger,
  signal: AbortSignal,
  hints: (onHint: () => void) => Arm = () => () => undefined,
): CommitWatch {
  const listeners: (() => void)[] = [];
  const waiting = new Set<() => void>();
  let version = 0;
  let seen: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  let asking = false;
  let failing = false;
  const trust = createTrust();
  /** How often it was looked for the commit of a hint; null: there is none to look for. */
  let looks: number | null = null;
  let askedMs = -Infinity;
  let seenMs = -Infinity;
  let awaitedMs = -Infinity;

  function schedule(): void {
    clearTimeout(timer);
    if (signal.aborted || asking) return;
    timer = setTimeout(() => void ask(), delayMs());
  }

  function delayMs(): number {
    if (!isAwaited()) return IDLE_INTERVAL_MS;
    if (looks === null) return trust.hints ? HINTED_INTERVAL_MS : AWAITED_INTERVAL_MS;
    const retryMs = looks === 0 ? HINT_INTERVAL_MS : (RETRIES_MS[looks - 1] ?? AWAITED_INTERVAL_MS);
    // However many commits there are, they are seen at this rate.
    return Math.max(askedMs + retryMs, seenMs + AWAITED_INTERVAL_MS) - performance.now();
  }

  function isAwaited(): boolean {
    return waiting.size > 0 || performance.now() - awaitedMs < AWAITED_FOR_MS;
  }

  function hint(): void {
    trust.hinted();
    const isFirst = looks === null;
    looks = 0;
    if (!isFirst || asking || !isAwaited()) return;
    if (delayMs() > 0) schedule();
    else void ask();
  }

  async function ask(): Promise<void> {
    clearTimeout(timer);
    asking = true;
    askedMs = performance.now();
    const looked = looks;
    looks = null;
    let isCommit = false;
    armHint();
    try {
      const now = await reader.dataVersion();
      isCommit = now !== seen;
      if (isCommit && seen !== null) trust.committed();
      if (isCommit) tell();
      seen = now;
      failing = false;
    } catch (error) {
      if (!signal.aborted) logger.log(failing ? 'debug' : 'error', 'could not look for commits', { error });
      failing = true;
    }
    asking = false;
    if (looked !== null && looked < RETRIES_MS.length && !isCommit) looks ??= looked + 1;
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
  const armHint = hints(hint);
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
      awaitedMs = performance.now();
    },
  };
}
