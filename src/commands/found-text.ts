import type { FoundReport } from '../replica/find-peers.js';
import { agoText } from './ago.js';
import { narrowTable } from './narrow-table.js';

/** What discovery has found, and what can be done about it; no line where it has found nothing. */
export function foundText(found: readonly FoundReport[], nowMs: number): string[] {
  if (found.length === 0) return [];
  const table = narrowTable({
    head: ['found here', 'address', 'state', 'seen'],
    widths: [22, 32, 12, 11],
    rows: found.map(({ node, addresses, state, seen_ms: seenMs }) => [
      node,
      addresses[0] ?? '-',
      state,
      agoText(seenMs, nowMs),
    ]),
  });
  const strangers = [...new Set(found.filter(({ state }) => state === 'found').map(({ node }) => node))];
  const how = strangers.map(
    (node) => `${node} is not pulled from. If it is yours: sqlite-p2p-sync peers accept ${node}`,
  );
  return [table, ...how];
}
