import type { ValueAnswer } from './answers.js';
import { h } from './dom.js';
import { bytes, count, foreign, MAX_VALUE_LENGTH, shortened, value } from './format.js';

/** Characters that stand before the first one that differs. */
const BEFORE = 24;

/** Bytes that are shown of those that differ. */
const SHOWN_BYTES = 12;

/** Two values of one column that differ, shown so that a person sees in what. */
export function toldApart(a: ValueAnswer, b: ValueAnswer): readonly [Node, Node] {
  if (typeof a === 'string' && typeof b === 'string') return textsApart(a, b);
  const [bytesOfA, bytesOfB] = [base64Of(a), base64Of(b)];
  if (bytesOfA !== null && bytesOfB !== null) return bytesApart([a, bytesOfA], [b, bytesOfB]);
  const [shownA, shownB] = [value(a), value(b)];
  if (shownA.textContent !== shownB.textContent) return [shownA, shownB];
  return [withKind(a, shownA), withKind(b, shownB)];
}

/** Long ones from shortly before the place where they part; those that look alike by what can't be seen. */
function textsApart(a: string, b: string): readonly [Node, Node] {
  const isLong = Math.max(a.length, b.length) > MAX_VALUE_LENGTH;
  const from = isLong ? wholeCharacterAt(a, Math.max(0, firstDifference(a, b) - BEFORE)) : 0;
  const [restA, restB] = [a.slice(from), b.slice(from)];
  const write = looksOf(restA) === looksOf(restB) ? escaped : (text: string) => text;
  const shown = (rest: string, whole: string): Node => {
    const text = shortened(write(rest.slice(0, 2 * MAX_VALUE_LENGTH)), null);
    const length = isLong ? ` (${count(whole.length)} characters)` : '';
    return foreign(`${from > 0 ? '…' : ''}${text}${length}`);
  };
  return [shown(restA, a), shown(restB, b)];
}

function firstDifference(a: string, b: string): number {
  let place = 0;
  while (place < a.length && a[place] === b[place]) place += 1;
  return place;
}

/** The same place, or the one before it where that would cut a character in two. */
function wholeCharacterAt(text: string, place: number): number {
  return /^[\udc00-\udfff]/.test(text.charAt(place)) ? place - 1 : place;
}

/** What is left of the beginning of a text once it is put on the screen. */
function looksOf(text: string): string {
  const beginning = text.slice(0, 2 * MAX_VALUE_LENGTH).normalize('NFKC');
  return beginning.replace(/\p{C}/gu, '').replace(/\s+/gu, ' ').trim();
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', ' ': '␣' };

/** With a sign in the place of each character that is not seen by itself: blanks, marks, accents that were put on. */
function escaped(text: string): string {
  const sign = (character: string): string =>
    ESCAPES[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  return text.replace(/[\p{C}\p{M}\p{Z}]/gu, sign);
}

function base64Of(given: ValueAnswer): string | null {
  if (given === null || typeof given !== 'object') return null;
  if ('$blob' in given) return given.$blob;
  return '$text' in given ? given.$text : null;
}

type Bytes = readonly [given: ValueAnswer, base64: string];

/** The bytes from the first that differs, in hexadecimal. */
function bytesApart([a, base64A]: Bytes, [b, base64B]: Bytes): readonly [Node, Node] {
  // Four characters stand for three bytes.
  const group = Math.floor(firstDifference(base64A, base64B) / 4);
  const from = group * 3;
  const shown = (given: ValueAnswer, base64: string): Node => {
    const part = atob(base64.slice(group * 4, group * 4 + (SHOWN_BYTES / 3) * 4));
    const hex = [...part].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
    const where = part === '' ? `ends after ${bytes(from)}` : `from byte ${count(from + 1)}: `;
    return h('span', {}, value(given), ', ', where, h('code', {}, hex));
  };
  return [shown(a, base64A), shown(b, base64B)];
}

function withKind(given: ValueAnswer, shown: Node): Node {
  const kind = typeof given === 'string' ? 'text' : given === null ? 'no value' : 'number';
  return h('span', {}, shown, h('span', { class: 'muted' }, ` (${kind})`));
}
