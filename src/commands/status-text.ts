import bytes from 'bytes';
import ms from 'ms';
import { createColors } from 'picocolors';
import { escapeControls } from '../log/escape.js';
import { danglingText } from '../changelog/dangling-text.js';
import { foundText } from './found-text.js';
import { blocksText, membersText } from './members-text.js';
import { narrowTable, type Cell } from './narrow-table.js';
import type { ErrorReport, PeerReport, StatusReport } from '../replica/status.js';

/** What `status` prints, no wider than 80 columns: this replica, its peers, the group, and what asks for attention. */
export function statusText(report: StatusReport, coloured = false): string {
  const members = membersText(report.members, report.head, report.time_ms);
  const { yellow } = createColors(coloured);
  const found = foundText(report.found, report.time_ms);
  const warnings = attention(report).map(yellow);
  const tables = [replicaTable(report), peerTable(report, coloured)];
  return [...tables, ...errors(report), members, ...found, ...warnings].join('\n');
}

function replicaTable(report: StatusReport): string {
  const size = `${sizeOf(report.database_bytes)}, WAL ${sizeOf(report.wal_bytes)}`;
  return narrowTable({
    widths: [12, 65],
    rows: [
      ['replica', report.name === report.node ? report.node : `${report.node} (${report.name})`],
      ['daemon', report.running ? `listening on ${report.listen ?? ''}` : 'not running'],
      ['tables', report.tables.join(', ')],
      ['changelog', `head ${report.head}, ${report.unfolded} not folded yet`],
      ['database', size],
      ['clock', clockText(report)],
      ...backupRow(report),
      ['quarantine', String(report.quarantined)],
      ['conflicts', String(report.conflicts)],
    ],
  });
}

/** Nothing where none was ever made, nor is to be. */
function backupRow({ backup, time_ms: nowMs }: StatusReport): [string, string][] {
  const { schedule, last, running } = backup;
  if (schedule === null && last === null && !running) return [];
  const newest = last === null ? 'none yet' : `${ago(last.at_ms, nowMs)}, ${sizeOf(last.bytes)}`;
  return [['backup', `${newest}${running ? '; one is being made' : ''}`]];
}

function peerTable(report: StatusReport, coloured: boolean): string {
  if (report.peers.length === 0) return 'No peers.';
  return narrowTable({
    head: ['peer', 'state', 'behind', 'last\nsuccess', 'has of\nours', 'skew', 'breaker'],
    widths: [15, 13, 8, 10, 10, 7, 9],
    rows: report.peers.map((peer) => peerRow(peer, report, coloured)),
  });
}

function peerRow(peer: PeerReport, { time_ms: nowMs, head }: StatusReport, coloured: boolean): Cell[] {
  const { pull } = peer;
  const skew = pull?.skew_ms ?? peer.offered?.skew_ms ?? null;
  return [
    peer.name,
    painted(stateOf(peer), coloured),
    peer.behind === null ? '-' : String(peer.behind),
    ago(pull?.last_success_ms ?? peer.offered?.last_success_ms ?? peer.last_applied_ms, nowMs),
    peer.acknowledged === null ? '-' : `${peer.acknowledged} of ${head}`,
    skew === null ? '-' : `${skew} ms`,
    pull?.breaker ?? '-',
  ];
}

/** The last error of each peer, on a line of its own: no column is wide enough. */
function errors({ peers, time_ms: nowMs }: StatusReport): string[] {
  return peers.flatMap(({ name, pull, offer, offered }) => {
    const tries = [pull, offer, offered];
    const error = newestOf(tries.map((each) => each?.last_error));
    if (error === null) return [];
    const isOver = tries.some(
      (each) => each?.last_error === error && (each.last_success_ms ?? 0) > error.at_ms,
    );
    const when = `${ago(error.at_ms, nowMs)}${isOver ? ', over since' : ''}`;
    return [`${name}, ${when}: ${escapeControls(error.message)}`];
  });
}

function newestOf(errors: readonly (ErrorReport | null | undefined)[]): ErrorReport | null {
  return errors.reduce<ErrorReport | null>(
    (newest, error) => (error != null && error.at_ms >= (newest?.at_ms ?? 0) ? error : newest),
    null,
  );
}

const BAD_STATES: ReadonlySet<string> = new Set(['lost', 'failing', 'offers failing']);
const GOOD_STATES: ReadonlySet<string> = new Set(['waiting', 'pulling', 'live']);

function painted(state: string, coloured: boolean): Cell {
  const { green, red } = createColors(coloured);
  if (BAD_STATES.has(state)) return { text: state, paint: red };
  return GOOD_STATES.has(state) ? { text: state, paint: green } : state;
}

function stateOf({ address, direction, pull, offer }: PeerReport): string {
  if (direction === null) return 'pulls from us';
  if (address === null && pull === null) return 'no address: feeds us itself';
  if (pull === null) return '-';
  if (pull.lost) return 'lost';
  if (pull.failing) return 'failing';
  if (offer?.failing === true) return 'offers failing';
  return pull.live && pull.phase === 'waiting' ? 'live' : pull.phase;
}

function attention(report: StatusReport): string[] {
  const lines: string[] = [];
  if (!report.running) lines.push('No daemon is running: start it with sqlite-p2p-sync start.');
  if (report.backfill_needed.length > 0) {
    lines.push(
      `Rows from before the triggers in ${report.backfill_needed.join(', ')}: run sqlite-p2p-sync backfill.`,
    );
  }
  if (report.quarantined > 0)
    lines.push('Some changes could not be applied: see sqlite-p2p-sync quarantine.');
  if (report.conflicts > 0)
    lines.push('Some edits were overruled by others that did not know them: see sqlite-p2p-sync conflicts.');
  for (const reference of report.dangling_references) lines.push(danglingText(reference));
  lines.push(...blocksText(report.members));
  const { last_error: backupError } = report.backup;
  if (backupError !== null) {
    const hint = backupError.hint === null ? '' : ` ${backupError.hint}`;
    lines.push(escapeControls(`The last backup failed: ${backupError.message}.${hint}`.replace('..', '.')));
  }
  if (report.disk_low)
    lines.push(`The disk is almost full (${sizeOf(report.disk_free_bytes)} left): pulling stops.`);
  return lines;
}

function clockText({ ntp }: StatusReport): string {
  if (ntp === null) return 'whether NTP sets it was not asked';
  const states = {
    synchronised: 'synchronised by NTP',
    not_synchronised: 'NOT synchronised by NTP',
    unknown: 'not known whether NTP sets it',
  };
  return `${states[ntp.state]} (${ntp.detail})`;
}

function ago(atMs: number | null, nowMs: number): string {
  return atMs === null ? '-' : `${ms(Math.max(0, nowMs - atMs))} ago`;
}

function sizeOf(count: number | null): string {
  return count === null ? '?' : (bytes.format(count, { unitSeparator: ' ' }) ?? '?');
}
