import type { ChangesQuery } from './changes-query.js';
import type { FeedParts } from './feed.js';

/** Pullers whose last cursor is remembered; with more, the oldest is noted once more than needed. */
const MAX_REMEMBERED_NODES = 1000;

/**
 * Makes the function that notes what a puller has: the cursor it asks with stands for everything before it.
 * The answer does not wait for it, and an unchanged cursor costs no write.
 */
export function acknowledger({ writer, logger, signal }: Pick<FeedParts, 'writer' | 'logger' | 'signal'>) {
  const noted = new Map<string, string>();
  return ({ node, epoch, since, member }: ChangesQuery): void => {
    if (node === null) return;
    const mark = `${epoch ?? ''} ${since} ${member?.told_ms ?? ''}`;
    if (noted.get(node) === mark) return;
    noted.delete(node);
    noted.set(node, mark);
    const [oldest] = noted.keys();
    if (noted.size > MAX_REMEMBERED_NODES && oldest !== undefined) noted.delete(oldest);
    const failed = (error: unknown) => {
      // Forgotten, so that its next request notes it again.
      if (noted.get(node) === mark) noted.delete(node);
      logger.log(signal.aborted ? 'debug' : 'warn', 'could not note what a peer has', { peer: node, error });
    };
    writer.acknowledge(node, epoch, since, member ?? null).catch(failed);
  };
}

/** Makes the function that remembers which cursor a puller was given: it may never come back with it. */
export function handingOut({ writer, logger, signal }: Pick<FeedParts, 'writer' | 'logger' | 'signal'>) {
  return ({ node, since }: ChangesQuery, next: string): void => {
    if (node === null || next === since) return;
    writer.handOut(node, since, next).catch((error: unknown) => {
      logger.log(signal.aborted ? 'debug' : 'warn', 'could not note what a peer was given', {
        peer: node,
        error,
      });
    });
  };
}
