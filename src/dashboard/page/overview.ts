import type { BackupAnswer, StatusAnswer } from './answers.js';
import { button, buttonKey, refusal } from './buttons.js';
import { byId, h, render, type Child } from './dom.js';
import { bytes, count, counted, foreign, readable, time } from './format.js';
import type { Model } from './model.js';
import { isPulled, MARKS, pullState, type Level } from './peer-state.js';

interface Finding {
  readonly level: Level;
  /** What it is about, which stays the same while the figures in its text change. */
  readonly about: string;
  readonly text: string;
  /** The section that says more. */
  readonly href: string | null;
}

/** The name of the replica, whether the page is up to date, and what can be asked of all. */
export function showHeader(model: Model, status: StatusAnswer): void {
  render(byId('node'), status.node);
  render(
    byId('node-detail'),
    ...(status.name === status.node ? [] : [foreign(status.name), ' · ']),
    `version ${status.version}`,
  );
  const live = model.lost === null;
  render(
    byId('live'),
    h(
      'span',
      { class: `pill ${live ? 'ok' : 'error'}` },
      h('span', { 'aria-hidden': 'true' }, live ? '●' : MARKS.error),
      live ? ' Live' : ' No connection',
    ),
  );
  const pulls = status.peers.some(isPulled);
  const syncAll = button(model, {
    action: 'sync-all',
    text: 'Sync all now',
    kind: 'main',
    busyText: 'Asking…',
  });
  const backUp = button(model, {
    action: 'back-up',
    text: status.backup?.running === true ? 'Backing up…' : 'Back up',
    busyText: 'Backing up…',
  });
  render(byId('commands'), pulls ? syncAll : null, status.backup === undefined ? null : backUp);
  document.title = titleOf(findingsOf(status), status);
}

/** All is well, or what asks for attention, each with a link to where it is. */
export function showAttention(model: Model, status: StatusAnswer): void {
  const findings = findingsOf(status);
  const lost = model.lost;
  const worst = lost !== null || findings.some(({ level }) => level === 'error') ? 'error' : 'warn';
  const items = [
    ...(lost === null ? [] : [h('li', { 'data-key': 'lost' }, `${lost.message} ${lost.hint ?? ''}`)]),
    ...findings.map(({ about, text, href }) =>
      h('li', { 'data-key': about }, href === null ? text : h('a', { href }, text)),
    ),
  ];
  const all = [h('p', {}, h('span', { class: 'pill ok' }, MARKS.ok), ' ', h('strong', {}, allWell(status)))];
  render(
    byId('attention'),
    ...(items.length === 0 ? all : [h('ul', { class: worst }, ...items)]),
    refusal(model, buttonKey('sync-all')),
    refusal(model, buttonKey('back-up')),
  );
}

function allWell({ peers }: StatusAnswer): string {
  const pulled = peers.filter(isPulled);
  if (pulled.length === 0) return 'Nothing asks for attention.';
  if (pulled.every((peer) => pullState(peer).level === 'ok'))
    return `In step with ${counted(pulled.length, 'peer')}.`;
  return 'Catching up; nothing asks for attention.';
}

/** What a person should look at, the worst first. */
export function findingsOf(status: StatusAnswer): Finding[] {
  const { conflicts, quarantined, backfill_needed: legacy, dangling_references: dangling } = status;
  const found: (Finding | null)[] = [
    status.disk_low
      ? {
          level: 'error',
          about: 'disk',
          text: 'The disk is almost full: nothing more is applied until there is room',
          href: null,
        }
      : null,
    ...status.peers.map((peer): Finding | null => {
      const { level, text } = pullState(peer);
      if (level !== 'error' && level !== 'warn') return null;
      const about = level === 'warn' ? `clock of ${peer.name}` : `${peer.name} ${text}`;
      return { level, about, text: `${peer.name}: ${text}`, href: '#peers-title' };
    }),
    conflicts > 0
      ? {
          level: 'warn',
          about: 'conflicts',
          text: `${counted(conflicts, 'conflict')} to look at`,
          href: '#conflicts-title',
        }
      : null,
    quarantined > 0
      ? {
          level: 'warn',
          about: 'quarantine',
          text: `${counted(quarantined, 'change')} in quarantine`,
          href: '#quarantine-title',
        }
      : null,
    status.backup?.last_error == null
      ? null
      : {
          level: 'error',
          about: 'backup',
          text: `The last backup failed: ${readable(status.backup.last_error.message)}`,
          href: null,
        },
    legacy.length > 0
      ? {
          level: 'warn',
          about: 'backfill',
          text: `Rows from before replication in ${readable(legacy.join(', '))}: run sqlite-p2p-sync backfill`,
          href: null,
        }
      : null,
    dangling.length > 0
      ? {
          level: 'warn',
          about: 'references',
          text: `References that lead nowhere: run sqlite-p2p-sync doctor`,
          href: null,
        }
      : null,
  ];
  return found.filter((finding) => finding !== null).sort((a, b) => rank(a.level) - rank(b.level));
}

function rank(level: Level): number {
  return level === 'error' ? 0 : 1;
}

function titleOf(findings: readonly Finding[], { node }: StatusAnswer): string {
  return `${findings.length === 0 ? '' : `(${findings.length}) `}${node} · sqlite-p2p-sync`;
}

/** The figures of this replica. */
export function showFigures(status: StatusAnswer): void {
  const pulled = status.peers.filter(isPulled);
  const behind = pulled.reduce((sum, peer) => sum + (peer.behind ?? 0), 0);
  const free = status.disk_free_bytes === null ? 'unknown' : bytes(status.disk_free_bytes);
  render(
    byId('figures'),
    ...figure('Behind its peers', count(behind), behind === 0 ? 'nothing left to pull' : 'changes to pull'),
    ...figure('Not folded', count(status.unfolded), 'entries of the application'),
    ...figure('Changelog', count(status.head), 'newest log id'),
    ...figure('Database', bytes(status.database_bytes), `and ${bytes(status.wal_bytes)} of WAL`),
    ...(status.backup === undefined ? [] : backupFigure(status.backup, status.time_ms)),
    ...figure('Free space', free, status.disk_low ? '! almost full' : 'on its disk'),
  );
}

function backupFigure({ last }: BackupAnswer, nowMs: number): Child[] {
  if (last === null) return figure('Last backup', 'none', 'of this database here');
  return figure('Last backup', time(last.at_ms, nowMs), bytes(last.bytes));
}

function figure(label: string, value: Child, detail: string): Child[] {
  return [h('div', { 'data-key': label }, h('dt', {}, label), h('dd', {}, value, h('small', {}, detail)))];
}
