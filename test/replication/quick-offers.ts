import type { PartDone } from '#src/apply/apply-page.js';
import { requireNamed } from '#src/apply/named.js';
import type { PullStart } from '#src/apply/pull-start.js';
import { isOutdated, looksRewound } from '#src/changelog/identity.js';
import { SyncError } from '#src/errors.js';
import { parsePage, type Page } from '#src/wire/page.js';
import type { QuickReplica } from './quick-replica.js';

/** What a replica asks to be offered, and as which instance. */
export interface Invited {
  readonly start: PullStart;
  readonly origin: string;
}

/** What became of an offered page: what was applied, or what its sender is told. */
export type Taken = PartDone['counts'] | 'cursor_moved' | 'instance_renewed' | 'rows_missing';

/** What a peer that can't be reached is invited to offer next. */
export function invite(replica: QuickReplica, peer: QuickReplica): Invited {
  return { start: replica.startOf(peer), origin: replica.origin };
}

/** Answers a peer's invitation; null where the cursor in it is not of this log, and this may be a new instance now. */
export function pageFor(
  replica: QuickReplica,
  peer: QuickReplica,
  { start, origin }: Invited,
  { pageSize, whole = false }: { readonly pageSize: number; readonly whole?: boolean },
): Page | null {
  try {
    const page = parsePage(Buffer.from(replica.page(start.cursor, pageSize, origin, { ...start, whole })));
    replica.meet(start, peer.node);
    return page;
  } catch (error) {
    const code = error instanceof SyncError ? error.code : null;
    if (code !== 'cursor_invalid' && code !== 'log_rewound') throw error;
    if (code === 'log_rewound') replica.believeRewound(start.heard);
    return null;
  }
}

/** Takes a page that a peer offers for an invitation of whenever. */
export function takeOffered(
  replica: QuickReplica,
  peer: QuickReplica,
  page: Page,
  { start, origin }: Invited,
): Taken {
  const heard = page.your_instance ?? null;
  if (looksRewound(replica.database, page.your_cursor ?? '') || isOutdated(replica.database, heard)) {
    replica.believeRewound(heard);
    return 'instance_renewed';
  }
  try {
    replica.fold();
    requireNamed(replica.changelog, peer.node, page.named);
    const { counts, overclaimed } = replica.applyWhole(page, peer.node, start, origin);
    if (!overclaimed) return counts;
    replica.believeRewound();
    return 'instance_renewed';
  } catch (error) {
    const code = error instanceof SyncError ? error.code : '';
    if (code === 'cursor_moved' || code === 'instance_renewed' || code === 'rows_missing') return code;
    throw error;
  }
}
