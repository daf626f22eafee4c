import Table from 'cli-table3';
import { escapeControls } from '../log/escape.js';
import type { TableFinding } from './inspect.js';

/** What was found, as a table for people, and below it what can be done about the tables that are left out. */
export function findingsTable(findings: readonly TableFinding[]): string {
  const table = new Table({
    head: ['table', 'replicated', 'key', 'timestamp', 'soft delete'],
    style: { head: [], border: [] },
    // no lines between the rows
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const finding of findings) table.push(row(finding).map(escapeControls));
  return [table.toString(), ...findings.flatMap(remarks).map(escapeControls)].join('\n');
}

function row(finding: TableFinding): string[] {
  return [
    finding.name,
    finding.replicable ? 'yes' : 'no',
    finding.key.join(', '),
    finding.timestampColumn === null ? '' : `${finding.timestampColumn} (${finding.timestampFormat})`,
    finding.softDeleteColumn ?? '',
  ];
}

function remarks(finding: TableFinding): string[] {
  const notes = finding.notes.map((note) => `${finding.name}: ${note}.`);
  if (finding.replicable) return notes;
  return [`${finding.name} ${finding.reason ?? ''}. ${finding.remedy ?? ''}`, ...notes];
}
