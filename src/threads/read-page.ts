import { createHash } from 'node:crypto';
import { SyncError } from '../errors.js';
import { parseCursor } from '../wire/cursor.js';
import { parsePage, type Page } from '../wire/page.js';
import type { ApplyRequest } from './calls.js';

/**
 * Reads the page of an apply call. Throws `page_damaged` where it is not what was sent, or no page, `wrong_node` where it
 * is another replica's, `peer_endless` where it does not lead on.
 */
export function readPage(request: ApplyRequest): Page {
  requireIntact(request);
  const page = parsePage(request.body);
  requireSender(page, request);
  requireProgress(page, request);
  return page;
}

function requireIntact(request: ApplyRequest): void {
  const found = createHash('sha256').update(request.body).digest('hex');
  if (found === request.sha256) return;
  throw new SyncError('page_damaged', `A page from "${request.peer}" does not match its checksum.`, {
    hint: 'It was discarded and will be asked for again; if this stays, look for a proxy that rewrites bodies.',
  });
}

function requireSender(page: Page, request: ApplyRequest): void {
  if (page.node === request.peer) return;
  throw new SyncError('wrong_node', `A page that should be from "${request.peer}" is from "${page.node}".`, {
    hint: 'Correct the peer in the configuration: its name is the node id at that address.',
  });
}

/** A page that promises more has to lead on: pages that go back or stand still would never end. */
function requireProgress(page: Page, request: ApplyRequest): void {
  const before = parseCursor(request.since);
  const after = parseCursor(page.next_cursor);
  if (!page.has_more || before === null || before.epoch !== after?.epoch || after.logId > before.logId)
    return;
  throw new SyncError('peer_endless', `"${request.peer}" says there is more, but its pages do not lead on.`, {
    hint: 'Install the same version of sqlite-p2p-sync on both; nothing of this page was applied.',
  });
}
