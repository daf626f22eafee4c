import { createColors } from 'picocolors';
import type { Conflict, ConflictList, ConflictSide } from '../apply/conflict-list.js';
import type { WireValue } from '../wire/value.js';
import { agoText } from './ago.js';
import { narrowTable, type Cell } from './narrow-table.js';

/** What `conflicts list` prints, no wider than 80 columns. */
export function conflictListText(
  { conflicts, total }: ConflictList,
  nowMs: number,
  coloured = false,
): string {
  if (conflicts.length === 0) return 'No conflicts.';
  const table = narrowTable({
    head: ['id', 'table', 'key', 'overruled', 'by', 'open for'],
    widths: [7, 12, 17, 13, 13, 11],
    rows: conflicts.map((conflict) => [
      String(conflict.id),
      conflict.table,
      keyOf(conflict.key),
      ...outcomeOf(conflict, coloured),
      openFor(conflict, nowMs),
    ]),
  });
  const more = total - conflicts.length;
  return [
    table,
    ...(more > 0 ? [`and ${more} older ones`] : []),
    'Both rows in full: sqlite-p2p-sync conflicts show ID',
  ].join('\n');
}

function openFor({ copy_of, settled_ms, found_ms }: Conflict, nowMs: number): string {
  if (copy_of !== null) return `see ${copy_of}`;
  return settled_ms === null ? agoText(found_ms, nowMs) : 'settled';
}

/** What was overruled, and by what. */
function outcomeOf(conflict: Conflict, coloured: boolean): [Cell, Cell] {
  const { green, red, yellow } = createColors(coloured);
  if (conflict.decided_by === 'nobody')
    return [{ text: 'undecided', paint: yellow }, whose('remote', conflict)];
  if (conflict.decided_by === 'resolver') return ['merged', whose('remote', conflict)];
  const [winner, loser] = conflict.local.won
    ? (['local', 'remote'] as const)
    : (['remote', 'local'] as const);
  return [
    { text: whose(loser, conflict), paint: red },
    { text: whose(winner, conflict), paint: green },
  ];
}

/** What `conflicts show` prints: both sides, column by column; those that differ have a mark and a colour. */
export function conflictText(conflict: Conflict, coloured = false): string {
  const { local, remote } = conflict;
  const { green } = createColors(coloured);
  const side = (name: string, { won }: ConflictSide): Cell =>
    won ? { text: `${name} (won)`, paint: green } : name;
  const table = narrowTable({
    head: ['', side('local', local), side('remote', remote)],
    widths: [16, 30, 30],
    rows: [
      ['written by', local.origin, remote.origin],
      ['version of', timeOf(local.stamp), timeOf(remote.stamp)],
      ...(conflict.kind === 'unique' ? [['key', keyOf(local.key), keyOf(remote.key)]] : []),
      ...columnsOf(conflict).map((name) => columnRow(conflict, name, coloured)),
    ],
  });
  return [headOf(conflict), table, nextStep(conflict)].join('\n');
}

function columnRow({ local, remote }: Conflict, name: string, coloured: boolean): Cell[] {
  const [here, there] = [cellOf(local, name), cellOf(remote, name)];
  if (here === there) return [name, here, there];
  return [{ text: `${name} !=`, paint: createColors(coloured).yellow }, here, there];
}

const DECIDED_BY = {
  version: 'the newer version',
  nobody: 'nobody yet: each side stays where it is',
  resolver: 'the resolver, which has merged both',
} as const;

function headOf(conflict: Conflict): string {
  const { id, table: name, key, kind, decided_by, found_ms, settled_ms, copy_of } = conflict;
  const what = kind === 'unique' ? 'two rows claimed one unique value' : 'two versions of one row';
  return narrowTable({
    widths: [16, 61],
    rows: [
      ['conflict', `${id}: ${what}`],
      ['table', name],
      ['key', keyOf(key)],
      ['found', timeOf(found_ms)],
      ['decided by', DECIDED_BY[decided_by]],
      copy_of === null
        ? ['settled', settled_ms === null ? 'no' : timeOf(settled_ms)]
        : ['same content', `conflict ${copy_of}, which stands for both`],
    ],
  });
}

function nextStep({ id, settled_ms, copy_of }: Conflict): string {
  if (copy_of !== null) return `To decide both: sqlite-p2p-sync conflicts show ${copy_of}`;
  if (settled_ms !== null) return 'Settled: a later version has seen what was overruled.';
  return `To decide: sqlite-p2p-sync conflicts resolve ${id} --keep local|remote`;
}

function columnsOf({ local, remote }: Conflict): string[] {
  const names = [local, remote].flatMap(({ record }) => (record === null ? [] : Object.keys(record)));
  return names.length === 0 ? ['row'] : [...new Set(names)];
}

function cellOf({ record }: ConflictSide, name: string): string {
  if (record === null) return '(deleted)';
  const value = Object.hasOwn(record, name) ? record[name] : undefined;
  return value === undefined ? '' : JSON.stringify(value);
}

function whose(side: 'local' | 'remote', conflict: Conflict): string {
  return `${side}, of ${conflict[side].origin.split('@')[0] ?? ''}`;
}

function keyOf(key: readonly WireValue[]): string {
  return JSON.stringify(key);
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
