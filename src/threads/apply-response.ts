import type { PageInProgress } from '../apply/apply-page.js';
import { sumOfLatencies } from '../apply/latency.js';
import type { FoldTally } from '../changelog/fold-all.js';
import type { ApplyResponse } from './calls.js';

/** Of pages that follow each other. */
export function toResponse(applied: readonly PageInProgress[], tally: FoldTally): ApplyResponse {
  const sum = (of: (each: PageInProgress) => number) => applied.reduce((total, each) => total + of(each), 0);
  const last = applied.at(-1)?.page;
  if (last === undefined) throw new TypeError('Expected a page');
  return {
    pages: applied.length,
    received: sum(({ changes }) => changes.length),
    named: sum(({ page }) => page.named.length),
    applied: sum(({ counts }) => counts.applied),
    skipped: sum(({ counts }) => counts.skipped),
    conflicts: sum(({ counts }) => counts.conflicts),
    quarantined: sum(({ counts }) => counts.quarantined),
    oversized: applied.flatMap(({ page }) =>
      (page.oversized ?? []).map(({ table, key }) => `${table} ${JSON.stringify(key)}`),
    ),
    nextCursor: last.next_cursor,
    hasMore: last.has_more,
    resolverFaults: [],
    behind: last.behind,
    serverTimeMs: last.server_time_ms,
    latencies: sumOfLatencies(applied.map(({ counts }) => counts.latencies)),
    tally,
  };
}
