import type { Held, HeldList } from '../apply/held-list.js';
import { escapeControls } from '../log/escape.js';
import { agoText } from './ago.js';
import { narrowTable } from './narrow-table.js';

/** What `quarantine list` prints, no wider than 80 columns. */
export function heldListText({ quarantine, total }: HeldList, nowMs: number): string {
  if (quarantine.length === 0) return 'Nothing is in quarantine.';
  const table = narrowTable({
    head: ['id', 'row', 'from', 'reason', 'since'],
    widths: [7, 22, 12, 25, 8],
    rows: quarantine.map((held) => [
      String(held.id),
      held.change.operation === 'delete' ? `${nameOf(held)}, deleted` : nameOf(held),
      held.peer,
      held.reason,
      agoText(held.since_ms, nowMs),
    ]),
  });
  const more = total - quarantine.length;
  return [
    table,
    ...(more > 0 ? [`and ${more} newer ones`] : []),
    'In full: sqlite-p2p-sync quarantine list --json',
  ].join('\n');
}

/** A row by its table and key. */
export function nameOf({ table, key }: Pick<Held, 'table' | 'key'>): string {
  return escapeControls(`${table} ${JSON.stringify(key)}`);
}
