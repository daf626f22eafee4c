import type { Logger } from '../log/logger.js';
import type { CommitWatch } from './commit-watch.js';
import type { Renewal, SchemaChange, WriterCalls } from '../threads/calls.js';

/** How soon a fold that failed is tried again where nobody asks for one. */
const RETRY_MS = 1_000;

/**
 * Who has written so much since the last fold is likely to go on. It is folded again after so long, without waiting until
 * somebody looks for commits: what is not folded yet makes the file grow.
 */
const MUCH_ENTRIES = 2_000;
const AGAIN_MS = 50;

/**
 * Makes the function that folds for everyone who asks: one fold runs at a time, and all who ask meanwhile share
 * the next, which begins after they asked. Log ids of versions that their rows contradict are passed on with it. It
 * never rejects; a failure is logged once until a fold succeeds, and tried again until the replica stops (`signal`). A
 * fold that took in much is followed by another.
 */
export function createFolding(
  writer: Pick<WriterCalls, 'fold'>,
  logger: Logger,
  signal: AbortSignal,
): (contradicted?: readonly number[]) => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let failing = false;
  let later: NodeJS.Timeout | undefined;
  const contradicted = new Set<number>();

  async function run(): Promise<void> {
    const logIds = [...contradicted];
    contradicted.clear();
    try {
      const { entries, versions, keyless, schema, renewal } = await writer.fold(logIds);
      if (keyless.length > 0)
        logger.warn('rows with NULL in their key are not replicated', { tables: keyless });
      if (renewal !== null) sayRenewal(logger, renewal);
      if (schema !== null) sayChange(logger, schema);
      if (entries > 0) logger.debug('folded', { entries, versions });
      failing = false;
      if (entries >= MUCH_ENTRIES) foldLater(AGAIN_MS);
    } catch (error) {
      logger.log(failing || signal.aborted ? 'debug' : 'warn', 'fold failed', { error });
      failing = true;
      for (const logId of logIds) contradicted.add(logId);
      foldLater(RETRY_MS);
    }
    running = null;
  }

  function begin(): Promise<void> {
    next = null;
    // This is the one that was to follow, or to be tried again.
    clearTimeout(later);
    running = run();
    return running;
  }

  function foldLater(ms: number): void {
    clearTimeout(later);
    if (!signal.aborted) later = setTimeout(() => void fold(), ms);
  }

  function fold(logIds: readonly number[] = []): Promise<void> {
    for (const logId of logIds) contradicted.add(logId);
    if (running === null) return begin();
    next ??= running.then(begin);
    return next;
  }

  signal.addEventListener('abort', () => {
    clearTimeout(later);
  });
  return fold;
}

/**
 * Folds after each commit that is seen. The function that it makes resolves when the newest of them is folded, or could not
 * be: whoever waits for a commit shares the fold that began for it.
 */
export function foldCommits(
  commits: Pick<CommitWatch, 'onCommit'>,
  fold: () => Promise<unknown>,
): () => Promise<unknown> {
  let newest: Promise<unknown> = Promise.resolve();
  commits.onCommit(() => {
    newest = fold();
  });
  return () => newest;
}

const RENEWALS: Readonly<Record<Renewal, string>> = {
  other_node: "this file was another replica's",
  other_file: 'this is not the file that the replica left here',
  rewound: 'this file has an older content than the replica left here: a backup was restored',
};

/** Says why everything is compared again. */
export function sayRenewal(logger: Logger, renewal: Renewal): void {
  logger.warn(`${RENEWALS[renewal]}; it goes on as a new instance, and everything is compared again`);
}

function sayChange(logger: Logger, { recaptured, faults }: SchemaChange): void {
  if (recaptured.length > 0) {
    logger.warn('the schema changed: triggers put back, rows compared with their versions', {
      tables: recaptured,
    });
  }
  for (const fault of faults) {
    logger.error('the schema changed, and does not fit replication any more', { fault });
  }
}
