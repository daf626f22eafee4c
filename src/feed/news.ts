import type { ChangesQuery } from './changes-query.js';
import type { PageResponse } from '../threads/calls.js';
import type { FeedParts } from './feed.js';
import { MAX_FOLD_WAIT_MS, settledWithin } from './settled-within.js';

/**
 * Whether there is anything for a puller after its cursor, or the page that is: at once where there is, else as soon as a
 * commit brings it, or false at the end of the waiting. It acknowledges nothing, and after each commit costs one look
 * into the log.
 */
export async function newsUntil(
  { commits, reader, folded }: Pick<FeedParts, 'commits' | 'reader' | 'folded'>,
  query: ChangesQuery,
  end: AbortSignal,
): Promise<boolean | PageResponse> {
  for (let seen = 0; ;) {
    const { version } = commits;
    // What is not folded by then comes with a commit of the fold's own.
    await settledWithin(folded(), MAX_FOLD_WAIT_MS);
    const looked = await reader.news({ ...query, seen });
    if (looked.news || query.waitMs === 0 || end.aborted) return looked.page ?? looked.news;
    ({ seen } = looked);
    await commits.after(version, end);
    if (end.aborted) return false;
  }
}
