import type { Logger } from '../log/logger.js';
import type { SchemaChange, WriterCalls } from '../threads/calls.js';

/**
 * Makes the function that folds for everyone who asks: one fold runs at a time, and all who ask meanwhile share
 * the next, which begins after they asked. It never rejects; a failure is logged
 * once until a fold succeeds, or until the replica stops (`signal`).
 */
export function createFolding(
  writer: Pick<WriterCalls, 'fold'>,
  logger: Logger,
  signal: AbortSignal,
): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let failing = false;

  async function run(): Promise<void> {
    try {
      const { entries, versions, keyless, schema } = await writer.fold();
      if (keyless.length > 0)
        logger.warn('rows with NULL in their key are not replicated', { tables: keyless });
      if (schema !== null) sayChange(logger, schema);
      if (entries > 0) logger.debug('folded', { entries, versions });
      failing = false;
    } catch (error) {
      logger.log(failing || signal.aborted ? 'debug' : 'warn', 'fold failed', { error });
      failing = true;
    }
    running = null;
  }

  function begin(): Promise<void> {
    next = null;
    running = run();
    return running;
  }

  return () => {
    if (running === null) return begin();
    next ??= running.then(begin);
    return next;
  };
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
