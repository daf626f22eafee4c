import { expect } from 'chai';
import fc from 'fast-check';
import { MAX_TIMESTAMP_MS, MIN_TIMESTAMP_MS, parseTimestamp } from '#src/clock/timestamp.js';
import type { TimestampFormat } from '#src/config/config.js';

const FORMATS: TimestampFormat[] = ['auto', 'unix_ms', 'unix_s', 'iso8601', 'julian'];
const SEED = Number(process.env.FC_SEED ?? Date.now() & 0x7fffffff);

/** Runs a property; a failure prints the seed that replays it (FC_SEED). */
function check<T extends [unknown, ...unknown[]]>(property: fc.IProperty<T>, numRuns = 500): void {
  fc.assert(property, { seed: SEED, numRuns });
}

function utc(text: string): number {
  return Date.parse(text);
}

describe('parseTimestamp', () => {
  const MOMENT = utc('2025-11-12T02:00:00.123Z');

  describe('reads ISO 8601', () => {
    const sameMoment = [
      '2025-11-12 10:00:00.123456789+08:00', // GORM
      '2025-11-12T10:00:00.123+08:00',
      '2025-11-12T10:00:00.123+0800',
      '2025-11-12T10:00:00.123+08',
      '2025-11-12 10:00:00.123456789 +0800 CST', // Go's String()
      '2025-11-12T02:00:00.123Z',
      '2025-11-12t02:00:00.123z',
      '2025-11-12 02:00:00.123',
      '2025-11-12  02:00:00,123',
      '2025-11-12 02:00:00.1239999',
      ' 2025-11-12 02:00:00.123 ',
      '2025-11-12 02:00:00.123 UTC',
      '2025-11-11T21:30:00.123-04:30',
    ];
    for (const text of sameMoment) {
      it(`as in "${text}"`, () => {
        expect(parseTimestamp(text, 'auto')).to.equal(MOMENT);
        expect(parseTimestamp(text, 'iso8601')).to.equal(MOMENT);
      });
    }

    it('without a time, without seconds, and at the ends of what a day can be', () => {
      expect(parseTimestamp('2025-11-12', 'iso8601')).to.equal(utc('2025-11-12T00:00:00Z'));
      expect(parseTimestamp('2025-11-12 10:07', 'iso8601')).to.equal(utc('2025-11-12T10:07:00Z'));
      expect(parseTimestamp('2025-11-12T24:00:00Z', 'iso8601')).to.equal(utc('2025-11-13T00:00:00Z'));
      expect(parseTimestamp('2016-12-31T23:59:60Z', 'iso8601')).to.equal(utc('2017-01-01T00:00:00Z'));
      expect(parseTimestamp('2024-02-29', 'iso8601')).to.equal(utc('2024-02-29T00:00:00Z'));
      expect(parseTimestamp('9999-12-31 23:59:59.999', 'iso8601')).to.equal(MAX_TIMESTAMP_MS);
      expect(parseTimestamp('0000-01-01', 'iso8601')).to.equal(MIN_TIMESTAMP_MS);
      expect(parseTimestamp('1969-12-31 23:59:59.999', 'iso8601')).to.equal(-1);
    });

    it('as CURRENT_TIMESTAMP writes it, in UTC whatever the machine', () => {
      expect(parseTimestamp('2025-11-12 02:00:00', 'auto')).to.equal(utc('2025-11-12T02:00:00Z'));
    });
  });

  describe('tells the unit of a number by its magnitude when the format is auto', () => {
    const expectedMs = 1_704_326_400_123;
    const forms: [string, unknown, number][] = [
      ['milliseconds', 1_704_326_400_123, expectedMs],
      ['milliseconds as a 64-bit integer', 1_704_326_400_123n, expectedMs],
      ['milliseconds as text', '1704326400123', expectedMs],
      ['microseconds', 1_704_326_400_123_456, expectedMs],
      ['nanoseconds', 1_704_326_400_123_456_789n, expectedMs],
      ['seconds', 1_704_326_400, 1_704_326_400_000],
      ['seconds with a fraction', 1_704_326_400.123, expectedMs],
      ['seconds with a fraction as text', '1704326400.123', expectedMs],
      ['a Julian day', 2_460_313.5, utc('2024-01-04T00:00:00Z')],
      ['a Julian day at noon, a whole number', 2_460_313, utc('2024-01-03T12:00:00Z')],
      ['a Julian day as text', '2460313.5', utc('2024-01-04T00:00:00Z')],
    ];
    for (const [name, value, ms] of forms) {
      it(name, () => expect(parseTimestamp(value, 'auto')).to.equal(ms));
    }
  });

  it('takes a named format at its word', () => {
    expect(parseTimestamp(1000, 'unix_ms')).to.equal(1000);
    expect(parseTimestamp('1000', 'unix_ms')).to.equal(1000);
    expect(parseTimestamp(1000, 'unix_s')).to.equal(1_000_000);
    expect(parseTimestamp(-1.5, 'unix_s')).to.equal(-1500);
    expect(parseTimestamp(2_440_587.5, 'julian')).to.equal(0);
    expect(parseTimestamp(-5, 'unix_ms')).to.equal(-5);
    expect(parseTimestamp(0, 'unix_ms')).to.equal(0);
    expect(Object.is(parseTimestamp(-0, 'unix_ms'), 0)).to.equal(true);
  });

  it('says null to a value of another format than the named one', () => {
    expect(parseTimestamp('2025-11-12', 'unix_ms')).to.equal(null);
    expect(parseTimestamp('2025-11-12', 'julian')).to.equal(null);
    expect(parseTimestamp(1_704_326_400_123, 'iso8601')).to.equal(null);
    expect(parseTimestamp('1704326400123', 'iso8601')).to.equal(null);
  });

  describe('says null to what is no time', () => {
    const garbage: unknown[] = [
      null, undefined, '', ' ', 'now', 'NaN', '-', '.', '+', '1e12', '1.2.3', '12-34', '0x10', '1\u00002',
      '2025', '2025-11', '2025-13-01', '2025-02-29', '2025-00-10', '2025-01-32', '2025/11/12', '25-11-12',
      '2025-11-12T', '2025-11-12 ab:cd', '2025-11-12 25:00', '2025-11-12 10:60', '2025-11-12 10:00:61',
      '2025-11-12 10:00:00.', '2025-11-12 10:00:00+', '2025-11-12 10:00:00+8', '2025-11-12 10:00:00+08:0',
      '2025-11-12 10:00:00+24:00', '2025-11-12 10:00:00Zx', '2025-11-12 10:00:00 PST', '2025-11-12 24:00:01',
      '2025-11-12 24:30', '9'.repeat(40), '-'.repeat(100_000), ' '.repeat(100_000), `2025-11-12${' '.repeat(99_999)}`,
      NaN, Infinity, -Infinity, 1e300, MAX_TIMESTAMP_MS * 1e7, 2n ** 63n - 1n, -(2n ** 63n), new Uint8Array([50]), true, {},
    ]; // prettier-ignore
    for (const value of garbage) {
      const name =
        typeof value === 'string' && value.length > 40 ? `${value.length} characters` : String(value);
      it(`${typeof value} ${JSON.stringify(name)}`, () => {
        for (const format of FORMATS) {
          if (typeof value === 'bigint' && format === 'auto') continue;
          if (value === '2025' && format !== 'iso8601') continue; // a number like any other
          expect(parseTimestamp(value, format), format).to.equal(null);
        }
      });
    }
  });

  it('gives back any millisecond that a date writes as ISO 8601, in any form and zone', () => {
    const date = fc.integer({ min: MIN_TIMESTAMP_MS + 86_400_000, max: MAX_TIMESTAMP_MS - 86_400_000 });
    const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    const separator = fc.constantFrom('T', ' ');
    check(
      fc.property(date, offset, separator, (ms, minutes, mark) => {
        const local = new Date(ms + minutes * 60_000).toISOString().slice(0, -1).replace('T', mark);
        const hours = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0');
        const zone = `${minutes < 0 ? '-' : '+'}${hours}:${String(Math.abs(minutes) % 60).padStart(2, '0')}`;
        expect(parseTimestamp(local + zone, 'iso8601')).to.equal(ms);
      }),
    );
  });

  it('gives back any millisecond from its seconds, milliseconds, microseconds and Julian day', () => {
    const present = fc.integer({ min: utc('1974-01-01T00:00:00Z'), max: utc('2200-01-01T00:00:00Z') });
    check(
      fc.property(present, (ms) => {
        expect(parseTimestamp(ms, 'auto')).to.equal(ms);
        expect(parseTimestamp(ms / 1000, 'auto')).to.equal(ms);
        expect(parseTimestamp(BigInt(ms) * 1000n, 'auto')).to.equal(ms);
        expect(parseTimestamp(ms / 86_400_000 + 2_440_587.5, 'auto')).to.equal(ms);
      }),
    );
  });

  it('never throws and answers with a whole number within range or null', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.stringMatching(/^[0-9:.,+\-TZ ]{0,40}$/),
      fc.double(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.uint8Array({ maxLength: 20 }),
      fc.constant(null),
    );
    check(
      fc.property(anything, fc.constantFrom(...FORMATS), (value, format) => {
        const ms = parseTimestamp(value, format);
        if (ms !== null) {
          expect(Number.isInteger(ms)).to.equal(true);
          expect(ms).to.be.within(MIN_TIMESTAMP_MS, MAX_TIMESTAMP_MS);
        }
      }),
      2000,
    );
  });
});
