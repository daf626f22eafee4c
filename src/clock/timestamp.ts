import type { TimestampFormat } from '../config/config.js';
import { parseIso8601 } from './iso8601.js';

/** 9999-12-31T23:59:59.999Z and its counterpart at year 0: what lies outside is no time of a row. */
export const MAX_TIMESTAMP_MS = 253_402_300_799_999;
export const MIN_TIMESTAMP_MS = -62_167_219_200_000;

const MS_PER_DAY = 86_400_000;
const JULIAN_DAY_OF_1970 = 2_440_587.5;
const MAX_NUMBER_CHARACTERS = 32;

/**
 * Where `auto` draws the lines between the units of a number, by its magnitude alone: Julian days of the years 0
 * to 9999, which as seconds would be some weeks of 1970; seconds up to the year 5138; milliseconds from 1973 to
 * 5138; microseconds; nanoseconds. A column that holds times outside these needs its format named.
 */
const JULIAN_YEAR_0 = 1_721_058.5;
const JULIAN_YEAR_9999 = 5_373_484.5;
const MAX_SECONDS = 1e11;
const MAX_MILLISECONDS = 1e14;
const MAX_MICROSECONDS = 1e17;

/**
 * Reads a row's timestamp as whole milliseconds since 1970; null where the value is none (NULL, empty, another
 * text, a BLOB, a year above 9999). A time without a zone is UTC, as SQLite's own CURRENT_TIMESTAMP. Never throws.
 */
export function parseTimestamp(value: unknown, format: TimestampFormat): number | null {
  if (typeof value === 'number') return fromNumber(value, format);
  if (typeof value === 'bigint') return fromNumber(Number(value), format);
  if (typeof value !== 'string') return null;
  const number = numberIn(value);
  if (number !== null) return fromNumber(number, format);
  return format === 'auto' || format === 'iso8601' ? inRange(parseIso8601(value)) : null;
}

function fromNumber(value: number, format: TimestampFormat): number | null {
  switch (format) {
    case 'unix_ms':
      return inRange(Math.floor(value));
    case 'unix_s':
      return inRange(secondsToMs(value));
    case 'julian':
      return fromJulianDay(value);
    case 'iso8601':
      return null;
    case 'auto':
      return fromMagnitude(value);
  }
}

export type NumberUnit = 'julian' | 'unix_s' | 'unix_ms' | 'unix_us' | 'unix_ns';

/** The unit that `auto` reads a number in. */
export function unitOf(value: number): NumberUnit {
  if (value >= JULIAN_YEAR_0 && value <= JULIAN_YEAR_9999) return 'julian';
  const magnitude = Math.abs(value);
  if (magnitude < MAX_SECONDS) return 'unix_s';
  if (magnitude < MAX_MILLISECONDS) return 'unix_ms';
  return magnitude < MAX_MICROSECONDS ? 'unix_us' : 'unix_ns';
}

function fromMagnitude(value: number): number | null {
  switch (unitOf(value)) {
    case 'julian':
      return fromJulianDay(value);
    case 'unix_s':
      return inRange(secondsToMs(value));
    case 'unix_ms':
      return inRange(Math.floor(value));
    case 'unix_us':
      return inRange(Math.floor(value / 1000));
    case 'unix_ns':
      return inRange(Math.floor(value / 1_000_000));
  }
}

/** Rounded, since a double such as 1704326400.123 times 1000 lies a little beside the millisecond. */
function secondsToMs(seconds: number): number {
  return Math.round(seconds * 1000);
}

function fromJulianDay(value: number): number | null {
  // a double holds a present Julian day to 0.04 ms, so rounding gives back the millisecond
  return inRange(Math.round((value - JULIAN_DAY_OF_1970) * MS_PER_DAY));
}

/** Also null for NaN and the infinities. */
function inRange(ms: number | null): number | null {
  if (ms === null || !(ms >= MIN_TIMESTAMP_MS && ms <= MAX_TIMESTAMP_MS)) return null;
  return ms === 0 ? 0 : ms; // no -0
}

/** A decimal number with optional sign, fraction and blanks around it; null for any other text, "2025-01-01" included. */
export function numberIn(text: string): number | null {
  if (text.length === 0 || text.length > MAX_NUMBER_CHARACTERS) return null;
  let digits = 0;
  let points = 0;
  const trimmed = text.trim();
  for (let index = 0; index < trimmed.length; index++) {
    const code = trimmed.charCodeAt(index);
    if (code >= 48 && code <= 57) digits++;
    else if (code === 46 && points === 0) points++;
    else if (!((code === 45 || code === 43) && index === 0)) return null;
  }
  return digits === 0 ? null : Number(trimmed);
}
