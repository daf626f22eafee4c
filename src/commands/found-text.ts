import Table from 'cli-table3';
import type { FoundReport } from '../replica/find-peers.js';
import { agoText } from './ago.js';
import { NARROW } from './narrow-table.js';

/** What discovery has found, and what can be done about it; no line where it has found nothing. */
export function foundText(found: readonly FoundReport[], nowMs: number): string[] {
  if (found.length === 0) return [];
  const table = new Table({
    ...NARROW,
    head: ['found here', 'address', 'state', 'seen'],
    colWidths: [22, 32, 12, 11],
  });
  for (const { node, addresses, state, seen_ms: seenMs } of found) {
    table.push([node, addresses[0] ?? '-', state, agoText(seenMs, nowMs)]);
  }
  const strangers = [...new Set(found.filter(({ state }) => state === 'found').map(({ node }) => node))];
  const how = strangers.map(
    (node) => `${node} is not pulled from. If it is yours: sqlite-p2p-sync peers accept ${node}`,
  );
  return [table.toString(), ...how];
}
