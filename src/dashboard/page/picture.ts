import type { PeerAnswer, StatusAnswer } from './answers.js';
import { svg } from './dom.js';
import { ago, count, readable } from './format.js';
import {
  isPulled,
  lastContact,
  MARKS,
  pullState,
  servedState,
  type Level,
  type PeerState,
} from './peer-state.js';

const CARD_HEIGHT = 80;
const GAP = 20;
const MARGIN = 2;
/** About the width of a character, px. */
const CHARACTER_WIDTH = 7;
/** The same at the edges, whose letters are smaller. */
const LABEL_CHARACTER_WIDTH = 6.1;
/** So far, px, a label may stand over the bend of its edge. */
const OVER_BEND = 28;
/** Below this width the peers stand under this replica. */
const NARROW = 620;
/** Where there are more, the table below has them. */
export const SHOWN_PEERS = 8;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Who pulls from whom, drawn for a width in px: this replica at the left or on top, its peers beside or below it. */
export function picture(status: StatusAnswer, width: number): SVGSVGElement {
  const peers = status.peers.slice(0, SHOWN_PEERS);
  return width < NARROW ? stacked(status, peers, width) : sideBySide(status, peers, width);
}

/** The same in words. */
export function pictureText(status: StatusAnswer): string {
  if (status.peers.length === 0) return `${status.node} has no peers.`;
  const parts = status.peers.map((peer) => {
    const served = servedState(peer, status);
    const pulls = !isPulled(peer) ? null : `pulled from by ${status.node}: ${pullState(peer).text}`;
    const gives = served === null ? null : `pulls from ${status.node}: ${served.text}`;
    return `${peer.name}, ${[pulls, gives].filter((text) => text !== null).join('; ')}`;
  });
  return `${status.node} and its peers. ${parts.join('. ')}.`;
}

function sideBySide(status: StatusAnswer, peers: readonly PeerAnswer[], width: number): SVGSVGElement {
  const rows = Math.max(1, peers.length);
  const height = rows * (CARD_HEIGHT + GAP) - GAP + 2 * MARGIN;
  const cardWidth = Math.min(250, width * 0.32);
  const self = { x: MARGIN, y: (height - CARD_HEIGHT) / 2, width: cardWidth, height: CARD_HEIGHT };
  const edges: SVGElement[] = [];
  const cards: SVGElement[] = [];
  const spread = Math.min(24, (CARD_HEIGHT - 16) / rows);
  peers.forEach((peer, row) => {
    const box = {
      x: width - cardWidth - MARGIN,
      y: MARGIN + row * (CARD_HEIGHT + GAP),
      width: cardWidth,
      height: CARD_HEIGHT,
    };
    const from = {
      x: self.x + self.width,
      y: self.y + self.height / 2 + (row - (rows - 1) / 2) * spread,
    };
    edges.push(...curvesOf(peer, status, from, box));
    cards.push(peerCard(peer, status, box));
  });
  return frame(status, width, height, [...edges, selfCard(status, self), ...cards]);
}

/** The upper curve leads to us, what we pull; the lower one to the peer, what it pulls of ours. */
function curvesOf(
  peer: PeerAnswer,
  status: StatusAnswer,
  from: { readonly x: number; readonly y: number },
  box: Box,
): SVGElement[] {
  const peerY = box.y + box.height / 2;
  // From there on it is straight, with room for its label.
  const bendX = from.x + (box.x - from.x) * 0.34;
  const middle = (from.x + bendX) / 2;
  const curve = ({ text, level, toPeer }: Edge): SVGElement[] => {
    const shift = toPeer ? 8 : -8;
    const [startY, endY] = [from.y + (toPeer ? 3 : -3), peerY + shift];
    const forward = `M ${from.x + 3} ${startY} C ${middle} ${startY}, ${middle} ${endY}, ${bendX} ${endY} H ${box.x - 3}`;
    const back = `M ${box.x - 3} ${endY} H ${bendX} C ${middle} ${endY}, ${middle} ${startY}, ${from.x + 3} ${startY}`;
    const label = { x: box.x - 14, y: endY + (toPeer ? 15 : -6), class: `edge-label ${level}` };
    return [
      svg('path', {
        d: toPeer ? forward : back,
        class: `edge ${level}`,
        'marker-end': `url(#arrow-${level})`,
      }),
      svg('text', { ...label, 'text-anchor': 'end' }, text),
    ];
  };
  return edgesOf(peer, status, box.x - bendX + OVER_BEND).flatMap(curve);
}

function stacked(status: StatusAnswer, peers: readonly PeerAnswer[], width: number): SVGSVGElement {
  const trunk = 26;
  const self = { x: MARGIN, y: MARGIN, width: width - 2 * MARGIN, height: CARD_HEIGHT };
  const edges: SVGElement[] = [];
  const cards: SVGElement[] = [];
  let y = self.y + self.height;
  peers.forEach((peer, row) => {
    const lines = edgesOf(peer, status, width - 44 - 2 * MARGIN);
    const top = y + 14 + lines.length * 20;
    const box = { x: MARGIN + 44, y: top, width: width - 44 - 2 * MARGIN, height: CARD_HEIGHT };
    const middle = top + CARD_HEIGHT / 2;
    const level = pullState(peer).level;
    const start = row === 0 ? self.y + self.height : y - CARD_HEIGHT / 2;
    edges.push(
      svg('path', {
        d: `M ${trunk} ${start} V ${middle} H ${box.x - 5}`,
        class: `edge ${level}`,
        'marker-end': lines.some(({ toPeer }) => toPeer) ? `url(#arrow-${level})` : null,
      }),
    );
    lines.forEach(({ text, level: of, toPeer }, line) => {
      edges.push(
        svg(
          'text',
          { x: box.x, y: y + 24 + line * 20, class: `edge-label ${of}` },
          `${toPeer ? '↓' : '↑'} ${text}`,
        ),
      );
    });
    cards.push(peerCard(peer, status, box));
    y = top + CARD_HEIGHT;
  });
  return frame(status, width, y + MARGIN, [...edges, selfCard(status, self), ...cards]);
}

interface Edge {
  readonly text: string;
  readonly level: Level;
  /** Changes go from us to the peer. */
  readonly toPeer: boolean;
}

/** What stands at the edges, cut to a width in px: a long name rather than the state. */
function edgesOf(peer: PeerAnswer, status: StatusAnswer, width: number): Edge[] {
  const { level, text } = pullState(peer);
  const { behind } = peer;
  const served = servedState(peer, status);
  const pulled = behind === null || level === 'error' ? text : `${count(behind)} behind`;
  const labelled = (node: string, state: string): string => {
    const rest = ` pulls: ${state}`;
    return cut(node, Math.max(1, Math.floor(width / LABEL_CHARACTER_WIDTH) - rest.length)) + rest;
  };
  return [
    ...(!isPulled(peer) ? [] : [{ text: labelled(status.node, pulled), level, toPeer: false }]),
    ...(served === null
      ? []
      : [{ text: labelled(peer.name, served.text), level: servedLevel(peer, served), toPeer: true }]),
  ];
}

/** Who can't be reached does not come for more either. */
function servedLevel(peer: PeerAnswer, { level }: PeerState): Level {
  return peer.pull?.lost === true ? 'idle' : level;
}

function selfCard(status: StatusAnswer, box: Box): SVGElement {
  const name = status.name === status.node ? 'this replica' : `this replica, ${status.name}`;
  return card(box, 'self', status.node, name, status.listen ?? '');
}

function peerCard(peer: PeerAnswer, { time_ms: nowMs }: StatusAnswer, box: Box): SVGElement {
  const { level, text } = pullState(peer);
  const contact = lastContact(peer);
  const heard = contact === null ? 'no contact yet' : `last contact ${ago(contact, nowMs)}`;
  return card(box, level, peer.name, `${MARKS[level]} ${text}`, heard);
}

function card({ x, y, width, height }: Box, kind: string, ...[title, state, detail]: string[]): SVGElement {
  const most = Math.floor((width - 32) / CHARACTER_WIDTH);
  return svg(
    'g',
    { class: `card ${kind}` },
    svg('rect', { x, y, width, height, rx: 8, class: 'box' }),
    svg('rect', { x, y: y + 12, width: 4, height: height - 24, rx: 2, class: 'level' }),
    svg('text', { x: x + 18, y: y + 25, class: 'title' }, cut(title, most)),
    svg('text', { x: x + 18, y: y + 45, class: 'state' }, cut(state, most)),
    svg('text', { x: x + 18, y: y + 63, class: 'detail' }, cut(detail, most)),
  );
}

function cut(text = '', most = 0): string {
  const characters = [...readable(text)];
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : characters.join('');
}

function frame(status: StatusAnswer, width: number, height: number, children: readonly SVGElement[]) {
  const levels: Level[] = ['ok', 'busy', 'warn', 'error', 'idle'];
  const arrows = levels.map((level) =>
    svg(
      'marker',
      {
        id: `arrow-${level}`,
        viewBox: '0 0 8 8',
        refX: 7,
        refY: 4,
        markerWidth: 8,
        markerHeight: 8,
        markerUnits: 'userSpaceOnUse',
        orient: 'auto',
      },
      svg('path', { d: 'M 0 0 L 8 4 L 0 8 z', class: `arrow ${level}` }),
    ),
  );
  return svg(
    'svg',
    { role: 'img', 'aria-label': pictureText(status), viewBox: `0 0 ${width} ${height}`, width, height },
    svg('defs', {}, ...arrows),
    ...children,
  );
}
