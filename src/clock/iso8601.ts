const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const MS_PER_MINUTE = 60_000;
const MAX_LENGTH = 64;

const ZERO = 48;
const NINE = 57;
const SPACE = 32;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const COLON = 58;
const UPPER_T = 84;
const UPPER_Z = 90;
const LOWER_T = 116;
const LOWER_Z = 122;

/**
 * Reads `2025-11-12`, `2025-11-12 10:00`, `2025-11-12T10:00:00.123456789+08:00` and what lies between: `T` or
 * blanks, seconds and a fraction of any length if wanted, then `Z`, `+08:00`, `+0800`, `+08` or nothing (UTC),
 * or Go's `+0800 CST`. Milliseconds since 1970, cut, not rounded; null for any other text and for a day that
 * does not exist. One pass over the text, by character: this runs for every row that is folded.
 */
export function parseIso8601(value: string): number | null {
  const text = value.length <= MAX_LENGTH ? value.trim() : '';
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 2);
  const day = digitsAt(text, 8, 2);
  if (year < 0 || month < 0 || day < 0) return null;
  if (text.charCodeAt(4) !== MINUS || text.charCodeAt(7) !== MINUS) return null;
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  const midnightMs = daysSince1970(year, month, day) * 1440 * MS_PER_MINUTE;
  if (text.length === 10) return midnightMs;

  const start = startOfTime(text);
  if (start === -1) return null;
  const hour = digitsAt(text, start, 2);
  const minute = digitsAt(text, start + 3, 2);
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || text.charCodeAt(start + 2) !== COLON) return null;
  const timeMs = (hour * 60 + minute) * MS_PER_MINUTE;
  return afterMinutes(text, start + 5, midnightMs + timeMs, hour === 24);
}

/** Seconds, fraction and zone; `sumMs` is what was read so far. */
function afterMinutes(text: string, from: number, sumMs: number, endOfDay: boolean): number | null {
  let at = from;
  let secondsMs = 0;
  if (text.charCodeAt(at) === COLON) {
    const second = digitsAt(text, at + 1, 2);
    if (second < 0 || second > 60) return null; // 60: a leap second
    secondsMs = second * 1000;
    at += 3;
    const mark = text.charCodeAt(at);
    if (mark === POINT || mark === COMMA) {
      const end = endOfDigits(text, at + 1);
      if (end === at + 1) return null;
      secondsMs += fractionMs(text, at + 1, end);
      at = end;
    }
  }
  // 24:00 is the midnight that ends the day, and nothing after it
  if (endOfDay && (secondsMs > 0 || sumMs % (60 * MS_PER_MINUTE) !== 0)) return null;
  const offset = offsetMinutes(text, at);
  return offset === null ? null : sumMs + secondsMs - offset * MS_PER_MINUTE;
}

/** Minutes east of UTC; null where something else stands there. */
function offsetMinutes(text: string, from: number): number | null {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at++;
  if (at === text.length) return 0;
  const mark = text.charCodeAt(at);
  if (mark === UPPER_Z || mark === LOWER_Z) return at + 1 === text.length ? 0 : null;
  if (at !== from && text.startsWith('UTC', at)) return at + 3 === text.length ? 0 : null;
  if (mark !== PLUS && mark !== MINUS) return null;
  const hours = digitsAt(text, at + 1, 2);
  if (hours < 0 || hours > 23) return null;
  at += 3;
  let minutes = 0;
  if (at < text.length && text.charCodeAt(at) !== SPACE) {
    if (text.charCodeAt(at) === COLON) at++;
    minutes = digitsAt(text, at, 2);
    if (minutes < 0 || minutes > 59) return null;
    at += 2;
  }
  if (!isZoneName(text, at)) return null;
  const offset = hours * 60 + minutes;
  return mark === MINUS ? -offset : offset;
}

/** Nothing, or a blank and capital letters, as Go's `String()` adds them. */
function isZoneName(text: string, from: number): boolean {
  if (from === text.length) return true;
  if (text.charCodeAt(from) !== SPACE) return false;
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 65 || code > 90) return false;
  }
  return from + 1 < text.length;
}

/** After the date: `T` or blanks. */
function startOfTime(text: string): number {
  const mark = text.charCodeAt(10);
  if (mark === UPPER_T || mark === LOWER_T) return 11;
  if (mark !== SPACE) return -1;
  let at = 11;
  while (text.charCodeAt(at) === SPACE) at++;
  return at;
}

/** The number that exactly `count` digits make; -1 where there are not as many. */
function digitsAt(text: string, from: number, count: number): number {
  let number = 0;
  for (let at = from; at < from + count; at++) {
    const code = text.charCodeAt(at);
    if (!(code >= ZERO && code <= NINE)) return -1;
    number = number * 10 + (code - ZERO);
  }
  return number;
}

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= NINE) at++;
  return at;
}

function fractionMs(text: string, from: number, end: number): number {
  let milliseconds = 0;
  for (let place = 0; place < 3; place++) {
    milliseconds = milliseconds * 10 + (from + place < end ? text.charCodeAt(from + place) - ZERO : 0);
  }
  return milliseconds;
}

function daysIn(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && isLeap ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

/** Days from 1970-01-01 in the Gregorian calendar (Howard Hinnant's days_from_civil). */
function daysSince1970(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
