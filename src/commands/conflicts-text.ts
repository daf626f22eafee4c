import Table from 'cli-table3';
import type { Conflict, ConflictList, ConflictSide } from '../apply/conflict-list.js';
import { escapeControls } from '../log/escape.js';
import type { WireValue } from '../wire/value.js';
import { agoText } from './ago.js';
import { NARROW } from './narrow-table.js';

/** What `conflicts list` prints, no wider than 80 columns. */
export function conflictListText({ conflicts, total }: ConflictList, nowMs: number): string {
  if (conflicts.length === 0) return 'No conflicts.';
  const table = new Table({
    ...NARROW,
    head: ['id', 'table', 'key', 'overruled', 'by', 'open for'],
    colWidths: [7, 12, 17, 13, 13, 11],
  });
  for (const conflict of conflicts) {
    table.push([
      String(conflict.id),
      escapeControls(conflict.table),
      keyOf(conflict.key),
      ...outcomeOf(conflict),
      openFor(conflict, nowMs),
    ]);
  }
  const more = total - conflicts.length;
  return [
    table.toString(),
    ...(more > 0 ? [`and ${more} older ones`] : []),
    'Both rows in full: sqlite-p2p-sync conflicts show ID',
  ].join('\n');
}

function openFor({ copy_of, settled_ms, found_ms }: Conflict, nowMs: number): string {
  if (copy_of !== null) return `see ${copy_of}`;
  return settled_ms === null ? agoText(found_ms, nowMs) : 'settled';
}

/** What was overruled, and by what. */
function outcomeOf(conflict: Conflict): [string, string] {
  if (conflict.decided_by === 'nobody') return ['undecided', whose('remote', conflict)];
  if (conflict.decided_by === 'resolver') return ['merged', whose('remote', conflict)];
  const [winner, loser] = conflict.local.won
    ? (['local', 'remote'] as const)
    : (['remote', 'local'] as const);
  return [whose(loser, conflict), whose(winner, conflict)];
}

/** What `conflicts show` prints: both sides, column by column. */
export function conflictText(conflict: Conflict): string {
  const { local, remote } = conflict;
  const table = new Table({
    ...NARROW,
    head: ['', `local${local.won ? ' (won)' : ''}`, `remote${remote.won ? ' (won)' : ''}`],
    colWidths: [16, 30, 30],
  });
  table.push(
    ['written by', local.origin, remote.origin],
    ['version of', timeOf(local.stamp), timeOf(remote.stamp)],
    ...(conflict.kind === 'unique' ? [['key', keyOf(local.key), keyOf(remote.key)]] : []),
    ...columnsOf(conflict).map((name) => [escapeControls(name), cellOf(local, name), cellOf(remote, name)]),
  );
  return [headOf(conflict), table.toString(), nextStep(conflict)].join('\n');
}

const DECIDED_BY = {
  version: 'the newer version',
  nobody: 'nobody yet: each side stays where it is',
  resolver: 'the resolver, which has merged both',
} as const;

function headOf(conflict: Conflict): string {
  const { id, table: name, key, kind, decided_by, found_ms, settled_ms, copy_of } = conflict;
  const what = kind === 'unique' ? 'two rows claimed one unique value' : 'two versions of one row';
  const table = new Table({ ...NARROW, colWidths: [16, 61] });
  table.push(
    { conflict: `${id}: ${what}` },
    { table: escapeControls(name) },
    { key: keyOf(key) },
    { found: timeOf(found_ms) },
    { 'decided by': DECIDED_BY[decided_by] },
    copy_of === null
      ? { settled: settled_ms === null ? 'no' : timeOf(settled_ms) }
      : { 'same content': `conflict ${copy_of}, which stands for both` },
  );
  return table.toString();
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
  return value === undefined ? '' : escapeControls(JSON.stringify(value));
}

function whose(side: 'local' | 'remote', conflict: Conflict): string {
  return `${side}, of ${conflict[side].origin.split('@')[0] ?? ''}`;
}

function keyOf(key: readonly WireValue[]): string {
  return escapeControls(JSON.stringify(key));
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
