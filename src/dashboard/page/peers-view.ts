import type { PeerAnswer, StatusAnswer } from './answers.js';
import { button, buttonKey, refusal } from './buttons.js';
import { byId, h, render, type Child } from './dom.js';
import { count, counted, foreign, skew, time } from './format.js';
import type { Model } from './model.js';
import {
  BREAKER_WORDS,
  isPulled,
  lastContact,
  MARKS,
  pullState,
  servedState,
  type PeerState,
} from './peer-state.js';
import { picture, SHOWN_PEERS } from './picture.js';
import { empty, table, type Row } from './table.js';

const COLUMNS = [
  { title: 'Peer' },
  { title: 'State' },
  { title: 'Behind', numeric: true },
  { title: 'Pulls from here' },
  { title: 'Last contact' },
  { title: 'Clock', numeric: true },
  { title: 'Breaker' },
  { title: 'Pull' },
];

/** Before the page is laid out there is no room for a picture, px. */
const LEAST_WIDTH = 200;

/** The picture of the group. */
export function showPicture(status: StatusAnswer): void {
  const box = byId('picture');
  const width = box.clientWidth;
  render(byId('picture-others'), othersText(status));
  if (status.peers.length === 0) {
    render(
      box,
      empty(
        'No peers yet',
        'Name one under peers: in the configuration of this replica, and start it again.',
      ),
    );
    return;
  }
  if (width >= LEAST_WIDTH) render(box, picture(status, width));
}

/** Who is not in the picture. */
function othersText({ peers, members }: StatusAnswer): string {
  const left = peers.length - SHOWN_PEERS;
  const others = members.filter(({ via }) => via === 'others').map(({ node }) => node);
  return [
    ...(left > 0 ? [`${counted(left, 'more peer')} below.`] : []),
    ...(others.length > 0 ? [`Also in the group, known through others: ${others.join(', ')}`] : []),
  ].join(' ');
}

/** The peers with all that is known of them, and what can be asked of each. */
export function showPeers(model: Model, status: StatusAnswer): void {
  const box = byId('peers');
  if (status.peers.length === 0) {
    render(
      box,
      empty('Nobody to replicate with', 'A replica alone keeps its changelog until a peer asks for it.'),
    );
    return;
  }
  const rows = status.peers.map((peer) => rowOf(model, status, peer));
  const refused = status.peers.flatMap(({ name }) => [
    refusal(model, buttonKey('sync', name)),
    refusal(model, buttonKey('full-sync', name)),
  ]);
  render(box, table('Peers of this replica', COLUMNS, rows), ...refused);
}

function rowOf(model: Model, status: StatusAnswer, peer: PeerAnswer): Row {
  const { pull, behind, name } = peer;
  const state = pullState(peer);
  const served = servedState(peer, status);
  return {
    key: name,
    cells: [
      h('div', {}, h('strong', {}, name), h('small', {}, addressOf(peer))),
      h('div', {}, pill(state), errorOf(peer, status.time_ms)),
      behind === null || !isPulled(peer) ? '–' : count(behind),
      served === null ? h('span', { class: 'muted' }, 'never asked') : served.text,
      time(lastContact(peer), status.time_ms),
      pull?.skew_ms == null ? '–' : skew(pull.skew_ms),
      pull === null ? '–' : BREAKER_WORDS[pull.breaker],
      !isPulled(peer) ? h('span', { class: 'muted' }, '–') : pullButtons(model, name),
    ],
  };
}

function pullButtons(model: Model, name: string): HTMLElement {
  return h(
    'div',
    { class: 'buttons' },
    button(model, {
      action: 'sync',
      about: name,
      text: 'Sync now',
      label: `Sync now from ${name}`,
      busyText: 'Asking…',
    }),
    button(model, {
      action: 'full-sync',
      about: name,
      text: 'Full sync',
      label: `Full sync from ${name}: compare everything again`,
      busyText: 'Asking…',
    }),
  );
}

function errorOf({ pull }: PeerAnswer, nowMs: number): Child {
  if (pull?.last_error == null || !(pull.failing || pull.lost)) return null;
  const { message, hint, at_ms } = pull.last_error;
  return h(
    'small',
    { class: 'error-text' },
    foreign(message),
    ' (',
    time(at_ms, nowMs),
    ')',
    ...(hint === null ? [] : ['. ', foreign(hint)]),
  );
}

/** A state with its mark and colour. */
export function pill({ level, text }: PeerState): HTMLElement {
  return h(
    'span',
    { class: `pill ${level}` },
    h('span', { 'aria-hidden': 'true' }, MARKS[level]),
    ` ${text}`,
  );
}

function addressOf({ address, direction, found_at }: PeerAnswer): string {
  return found_at ?? address ?? (direction === null ? 'not configured here' : 'no address here');
}
