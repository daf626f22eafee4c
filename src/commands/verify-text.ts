import { escapeControls } from '../log/escape.js';
import type { DifferenceReport, SideReport, TableReport, VerifyReport } from './verify-report.js';

/** Rows that are named of each table; `--json` names all. */
const MAX_NAMED = 20;

const KINDS: Readonly<Record<DifferenceReport['kind'], string>> = {
  missing_here: 'missing here',
  missing_there: 'missing there',
  content: 'the content differs',
  version: 'the same content under another version',
};

/** What `verify` prints: a line per table, its rows that differ, and how it ended. */
export function verifyText(report: VerifyReport): string {
  const { peer, tables, repaired, not_pulled: notPulled, equal } = report;
  const lines = tables.flatMap((table) => tableLines(table, peer));
  if (repaired.length > 0) lines.push(`${rowsText(repaired.length)} repaired.`);
  if (notPulled.here !== null) lines.push(`Not pulled from ${peer}: ${notPulled.here}.`);
  if (notPulled.there !== null) lines.push(`${peer} has not pulled from here: ${notPulled.there}.`);
  lines.push(equal ? `Equal with ${peer}.` : `NOT equal with ${peer}.${advice(report)}`);
  return lines.map(escapeControls).join('\n');
}

function advice({ tables, repaired }: VerifyReport): string {
  const named = tables.some(({ differences }) => differences.length > 0);
  return named && repaired.length === 0
    ? ' verify --repair makes them equal by the ordinary rules for versions.'
    : '';
}

function tableLines(table: TableReport, peer: string): string[] {
  const { table: name, rows, differences, more, in_motion: inMotion, fault } = table;
  if (fault !== null) return [`${name}: not compared: ${fault}`];
  const found =
    differences.length === 0 && !more ? 'equal' : `${more ? 'more than ' : ''}${differences.length} differ`;
  const moving = inMotion === 0 ? '' : `, ${inMotion} written too often to be compared`;
  const left = table.columns_left_out;
  return [
    `${name}: ${rowsText(rows)} compared, ${found}${moving}`,
    ...(left.length === 0 ? [] : [`  not compared: ${left.join(', ')}, which ${peer} does not replicate`]),
    ...differences.slice(0, MAX_NAMED).map(differenceLine),
    ...(differences.length > MAX_NAMED
      ? [`  and ${differences.length - MAX_NAMED} more; --json names all`]
      : []),
  ];
}

function differenceLine({ key, kind, here, there, why }: DifferenceReport): string {
  const notes = [...sideNotes('here', here), ...sideNotes('there', there), ...(why === null ? [] : [why])];
  return `  ${JSON.stringify(key)}: ${KINDS[kind]}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`;
}

function sideNotes(side: string, { version, intact, held, conflict }: SideReport): string[] {
  return [
    ...(version === null ? [`no version ${side}`] : intact ? [] : [`not what its version says ${side}`]),
    ...(held ? [`held in quarantine ${side}`] : []),
    ...(conflict ? [`an open conflict ${side}`] : []),
  ];
}

function rowsText(count: number): string {
  return count === 1 ? '1 row' : `${count} rows`;
}
