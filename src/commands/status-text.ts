import bytes from 'bytes';
import Table from 'cli-table3';
import ms from 'ms';
import { escapeControls } from '../log/escape.js';
import { danglingText } from '../changelog/dangling-text.js';
import { foundText } from './found-text.js';
import { blocksText, membersText } from './members-text.js';
import type { ErrorReport, PeerReport, StatusReport } from '../replica/status.js';

const PLAIN = { style: { head: [], border: [] } };

/** What `status` prints: this replica, then a table of its peers, then what asks for attention. */
export function statusText(report: StatusReport): string {
  const members = membersText(report.members, report.head, report.time_ms);
  const found = foundText(report.found, report.time_ms);
  return [replicaTable(report), peerTable(report), members, ...found, ...attention(report)].join('\n');
}

function replicaTable(report: StatusReport): string {
  const table = new Table(PLAIN);
  const size = `${sizeOf(report.database_bytes)}, WAL ${sizeOf(report.wal_bytes)}`;
  table.push(
    { replica: report.name === report.node ? report.node : `${report.node} (${report.name})` },
    { daemon: report.running ? `listening on ${report.listen ?? ''}` : 'not running' },
    { tables: report.tables.join(', ') },
    { changelog: `head ${report.head}, ${report.unfolded} not folded yet` },
    { database: size },
    { clock: clockText(report) },
    { quarantine: String(report.quarantined) },
    { conflicts: String(report.conflicts) },
  );
  return table.toString();
}

function peerTable(report: StatusReport): string {
  if (report.peers.length === 0) return 'No peers.';
  const table = new Table({
    ...PLAIN,
    head: ['peer', 'state', 'behind', 'last success', 'has of ours', 'skew', 'breaker', 'last error'],
    colWidths: [null, null, null, null, null, null, null, 48],
    wordWrap: true,
  });
  for (const peer of report.peers) table.push(peerRow(peer, report));
  return table.toString();
}

function peerRow(peer: PeerReport, { time_ms: nowMs, head }: StatusReport): string[] {
  const { pull } = peer;
  const skew = pull?.skew_ms ?? peer.offered?.skew_ms ?? null;
  const error = newestOf([pull?.last_error, peer.offer?.last_error, peer.offered?.last_error]);
  return [
    peer.name,
    stateOf(peer),
    peer.behind === null ? '-' : String(peer.behind),
    ago(pull?.last_success_ms ?? peer.offered?.last_success_ms ?? peer.last_applied_ms, nowMs),
    peer.acknowledged === null ? '-' : `${peer.acknowledged} of ${head}`,
    skew === null ? '-' : `${skew} ms`,
    pull?.breaker ?? '-',
    error === null ? '-' : `${ago(error.at_ms, nowMs)}: ${escapeControls(error.message)}`,
  ];
}

function newestOf(errors: readonly (ErrorReport | null | undefined)[]): ErrorReport | null {
  return errors.reduce<ErrorReport | null>(
    (newest, error) => (error != null && error.at_ms >= (newest?.at_ms ?? 0) ? error : newest),
    null,
  );
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
  return `${states[ntp.state]} (${escapeControls(ntp.detail)})`;
}

function ago(atMs: number | null, nowMs: number): string {
  return atMs === null ? '-' : `${ms(Math.max(0, nowMs - atMs))} ago`;
}

function sizeOf(count: number | null): string {
  return count === null ? '?' : (bytes.format(count, { unitSeparator: ' ' }) ?? '?');
}
