import { createColors } from 'picocolors';
import type { Finding, Level } from '../doctor/finding.js';
import { escapeControls } from '../log/escape.js';
import { columnsOf, piecesOf } from './columns.js';

/** What `doctor --json` prints. */
export interface DoctorReport {
  readonly node: string;
  /** Whether a daemon of this replica was found. */
  readonly running: boolean;
  /** How many findings stop replication. */
  readonly errors: number;
  readonly warnings: number;
  readonly findings: readonly Finding[];
  /** Checks that could not be made, because of an error that was found before them. */
  readonly left_out: readonly string[];
}

const LEVEL_WIDTH = 9;
const CHECK_WIDTH = 15;
const TEXT_WIDTH = 80 - LEVEL_WIDTH - CHECK_WIDTH;

/** Every finding with its fix, no wider than 80 columns, then how it ended. */
export function doctorText(report: DoctorReport, coloured: boolean): string {
  const { left_out: leftOut, errors, warnings } = report;
  const leftOutText = `Not looked at, because of an error above: ${leftOut.join(', ')}.`;
  return [
    ...report.findings.flatMap((finding) => findingLines(finding, coloured)),
    ...(leftOut.length === 0 ? [] : wrapped(leftOutText, 80)),
    `${counted(errors, 'error')}, ${counted(warnings, 'warning')}.${errors > 0 ? ' Replication stops at errors.' : ''}`,
  ].join('\n');
}

function findingLines({ check, level, message, fix }: Finding, coloured: boolean): string[] {
  const text = [
    ...wrapped(escapeControls(message), TEXT_WIDTH),
    ...(fix === null ? [] : wrapped(`Fix: ${escapeControls(fix)}`, TEXT_WIDTH)),
  ];
  return text.map((line, place) => {
    if (place > 0) return ' '.repeat(LEVEL_WIDTH + CHECK_WIDTH) + line;
    return paint(level, coloured) + check.padEnd(CHECK_WIDTH) + line;
  });
}

function paint(level: Level, coloured: boolean): string {
  const { green, yellow, red } = createColors(coloured);
  const colour = { ok: green, warning: yellow, error: red }[level];
  return colour(level.padEnd(LEVEL_WIDTH));
}

/** Lines that end between words, or within a word that has no line to itself. */
function wrapped(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    const longer = line === '' ? word : `${line} ${word}`;
    if (columnsOf(longer) <= width) {
      lines[lines.length - 1] = longer;
      continue;
    }
    lines.push(...piecesOf(word, width));
  }
  return lines.filter((line) => line !== '');
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
