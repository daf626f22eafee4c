import { h } from './dom.js';
import type { ValueAnswer } from './answers.js';

/** Characters of one value that are shown. */
export const MAX_VALUE_LENGTH = 240;

const NUMBERS = new Intl.NumberFormat('en');
const SHORT_NUMBERS = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const DATES = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

export function count(value: number): string {
  return NUMBERS.format(value);
}

/** `1 change`, `3 changes`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${SHORT_NUMBERS.format(size)} ${units[unit] ?? ''}`;
}

/** A duration in the unit that fits it, e.g. `40 ms`, `1.2 s`, `3 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${SHORT_NUMBERS.format(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${SHORT_NUMBERS.format(ms / 3_600_000)} h`;
  return `${SHORT_NUMBERS.format(ms / 86_400_000)} d`;
}

/** A clock ahead of ours, or behind. */
export function skew(ms: number): string {
  const sign = ms > 0 ? '+' : ms < 0 ? '−' : '±';
  return `${sign}${duration(Math.abs(ms))}`;
}

/** e.g. `just now`, `12 s ago`, `in 2 min`. */
export function ago(ms: number, nowMs: number): string {
  const elapsed = nowMs - ms;
  if (Math.abs(elapsed) < 2000) return 'just now';
  const text = duration(Math.round(Math.abs(elapsed) / 1000) * 1000);
  return elapsed < 0 ? `in ${text}` : `${text} ago`;
}

/** A time as how long ago it was; pointing at it shows when that was. */
export function time(ms: number | null, nowMs: number, unknown = 'never'): Node {
  if (ms === null) return h('span', { class: 'muted' }, unknown);
  const date = new Date(ms);
  return h('time', { datetime: date.toISOString(), title: DATES.format(date) }, ago(ms, nowMs));
}

/** Controls, and the marks that turn the direction of what is written around them. */
const UNPRINTABLE = /(?![\n\r\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Text that somebody else wrote, where each character that would do something stands as an escape. */
export function readable(text: string): string {
  return text.replace(UNPRINTABLE, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same in a box of its own, whatever direction it is written in. */
export function foreign(text: string): HTMLElement {
  return h('bdi', {}, readable(text));
}

/** A value of a row as text, cut to what a person reads. */
export function value(given: ValueAnswer): Node {
  if (given === null) return h('span', { class: 'muted' }, 'NULL');
  if (typeof given !== 'object') return foreign(shortened(String(given)));
  if ('$int' in given) return document.createTextNode(given.$int);
  if ('$real' in given) return document.createTextNode(given.$real);
  if ('$blob' in given) return h('span', { class: 'muted' }, `${bytes(sizeOf(given.$blob))} of binary data`);
  return h('span', { class: 'muted' }, `${bytes(sizeOf(given.$text))} of text that is not UTF-8`);
}

/** A row's key on one line, e.g. `w1` or `u1, w1`. */
export function keyText(key: readonly ValueAnswer[] | null): string {
  if (key === null) return '?';
  return key.map((part) => value(part).textContent ?? '').join(', ');
}

/** The node of an instance `node@epoch`. */
export function nodeOf(origin: string): string {
  return origin.split('@')[0] ?? origin;
}

/** Cut between two characters; `length` null: without telling how long it is. */
export function shortened(text: string, length: number | null = text.length): string {
  if (text.length <= MAX_VALUE_LENGTH) return text;
  const beginning = text.slice(0, MAX_VALUE_LENGTH).replace(/[\ud800-\udbff]$/, '');
  return `${beginning}…${length === null ? '' : ` (${count(length)} characters)`}`;
}

function sizeOf(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}
