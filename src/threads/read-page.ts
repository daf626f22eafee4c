import { createHash } from 'node:crypto';
import { SyncError } from '../errors.js';
import { parseCursor } from '../wire/cursor.js';
import { parsePage, type Page } from '../wire/page.js';
import type { AskedPage } from './apply-pages.js';
import type { ApplyRequest, PagesOfFile, SentPage } from './calls.js';

/**
 * Reads the page of an apply call. Throws `page_damaged` where it is not what was sent, or no page, `wrong_node` where it
 * is another replica's, `peer_endless` where it does not lead on.
 */
export function readPage({ peer, file }: ApplyRequest, sent: SentPage): Page {
  requireIntact(sent, peer);
  const page = parsePage(sent.body);
  requireSender(page, peer);
  requireProgress(page, sent, peer);
  return file === undefined ? page : ofFile(page, file);
}

function ofFile(page: Page, { claims, stale }: PagesOfFile): Page {
  return { ...page, stale, complete: page.complete && claims, vouches: page.vouches && claims };
}

/** The pages after the first, up to one that can't be read: it is asked for by itself, and told of then. */
export function readFurther(request: ApplyRequest): AskedPage[] {
  const pages: AskedPage[] = [];
  for (const sent of request.further ?? []) {
    try {
      pages.push({ since: sent.since, page: readPage(request, sent) });
    } catch (error) {
      if (error instanceof SyncError) return pages;
      throw error;
    }
  }
  return pages;
}

function requireIntact({ body, sha256 }: SentPage, peer: string): void {
  const found = createHash('sha256').update(body).digest('hex');
  if (found === sha256) return;
  throw new SyncError('page_damaged', `A page from "${peer}" does not match its checksum.`, {
    hint: 'It was discarded and will be asked for again; if this stays, look for a proxy that rewrites bodies.',
  });
}

function requireSender(page: Page, peer: string): void {
  if (page.node === peer) return;
  throw new SyncError('wrong_node', `A page that should be from "${peer}" is from "${page.node}".`, {
    hint: 'Correct the peer in the configuration: its name is the node id at that address.',
  });
}

/** A page that promises more has to lead on, in the log that was asked: those that go back or stand still never end. */
function requireProgress(page: Page, { since }: SentPage, peer: string): void {
  const before = parseCursor(since);
  const after = parseCursor(page.next_cursor);
  if (before === null || after === null) return;
  const steps = before.epoch === after.epoch ? after.logId - before.logId : -1;
  if (steps > 0 || (steps === 0 && !page.has_more)) return;
  throw new SyncError(
    'peer_endless',
    `The pages of "${peer}" do not lead on from the cursor they were asked with.`,
    {
      hint: 'Install the same version of sqlite-p2p-sync on both; nothing of this page was applied.',
    },
  );
}
