import type { StatusAnswer, TableAnswer, TailEntryAnswer } from './answers.js';
import { byId, h, render, type Child } from './dom.js';
import { count, foreign, keyText, nodeOf, time } from './format.js';
import type { Model } from './model.js';
import { empty, table } from './table.js';

const TABLE_COLUMNS = [
  { title: 'Table' },
  { title: 'Rows', numeric: true },
  { title: 'Pending', numeric: true },
  { title: 'Quarantine', numeric: true },
  { title: 'Conflicts', numeric: true },
];

const TAIL_COLUMNS = [
  { title: 'Log id', numeric: true },
  { title: 'Change' },
  { title: 'Row' },
  { title: 'Written by' },
  { title: 'When' },
];

/** The replicated tables with their rows and what waits in them. */
export function showTables({ tables }: Model): void {
  const rows = tables.map((each) => ({
    key: each.name,
    cells: [
      h('strong', {}, foreign(each.name)),
      rowsOf(each),
      zeroMuted(each.unfolded),
      zeroMuted(each.quarantined),
      zeroMuted(each.conflicts),
    ],
  }));
  render(byId('tables'), table('Replicated tables', TABLE_COLUMNS, rows));
}

function rowsOf({ rows, more }: TableAnswer): Child {
  if (rows === null) return h('span', { class: 'pill error' }, '✕ missing, or does not fit');
  return more ? `over ${count(rows)}` : count(rows);
}

function zeroMuted(value: number): Child {
  return value === 0 ? h('span', { class: 'muted' }, '0') : count(value);
}

/** The newest entries of the changelog. */
export function showTail({ tail }: Model, status: StatusAnswer): void {
  const box = byId('changelog');
  if (tail.length === 0) {
    render(
      box,
      empty('No change yet', 'Write a row of a replicated table, with any program: it appears here at once.'),
    );
    return;
  }
  const rows = tail.map((entry) => ({
    key: String(entry.seq),
    cells: [
      count(entry.seq),
      h('span', { class: `operation ${entry.operation.toLowerCase()}` }, entry.operation.toLowerCase()),
      h('span', {}, foreign(entry.table), ' ', h('code', {}, keyText(entry.key))),
      authorOf(entry, status),
      time(entry.time_ms, status.time_ms, '–'),
    ],
  }));
  render(box, table('Newest entries of the changelog', TAIL_COLUMNS, rows));
}

function authorOf({ origin }: TailEntryAnswer, { node }: StatusAnswer): Child {
  if (origin === null) return h('span', { class: 'muted' }, 'here, not folded yet');
  return nodeOf(origin) === node ? 'here' : nodeOf(origin);
}
