import { expect } from 'chai';
import fc from 'fast-check';
import { SyncError } from '#src/errors.js';
import { toChange, wireChange } from '#src/wire/change.js';
import { printedSeed, runsOf } from '../random.js';

const RUNS = runsOf({ suite: 5_000, soak: 100_000 });

const VALID = {
  seq: 12,
  table: 'words',
  operation: 'upsert',
  key: ['a', 1],
  rank: 3,
  stamp: 1_704_326_400_000,
  origin: 'desktop@7d0c',
  fingerprint: '0123456789abcdef',
  seen: { 'laptop@ab': 5 },
  record: { id: 'a', place: 1, big: { $int: '9007199254740993' }, real: { $real: '1.0' }, none: null },
};

/** What may stand in the place of a part, right or wrong. */
const anything = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    '',
    'words',
    0,
    -1,
    1.5,
    -0,
    2 ** 53,
    2 ** 31,
    253_402_300_800_000,
    NaN,
    'delete',
    'upsert',
    [],
    [null],
    ['a', { $blob: 'AA==' }],
    [{ $blob: '!' }],
    {},
    { 'a@0': 1 },
    { 'a@0': -1 },
    { a: 1 },
    '0123456789abcdef',
    'a@b',
    'a b@c',
    { a: { $text: 'Yf8=' } },
    { a: '\ud800' },
    { a: true },
  ),
  fc.jsonValue(),
);

const change = fc
  .record({
    parts: fc.dictionary(fc.constantFrom(...Object.keys(VALID)), anything, {
      maxKeys: 3,
      noNullPrototype: true,
    }),
    deleted: fc.boolean(),
  })
  .map(({ parts, deleted }) => ({
    ...VALID,
    ...(deleted ? { operation: 'delete', record: null, fingerprint: undefined } : {}),
    ...parts,
  }));

describe('a change as it travels', () => {
  it('is read where it is as the schema says, and refused where it is not', () => {
    fc.assert(
      fc.property(change, (wire) => {
        const parsed = wireChange.safeParse(wire);
        const whole =
          parsed.success &&
          (parsed.data.operation === 'upsert') === (parsed.data.record !== null) &&
          (parsed.data.record !== null) === (parsed.data.fingerprint !== undefined);
        expect(outcomeOf(wire)).to.equal(whole ? 'read' : 'page_damaged');
      }),
      { numRuns: RUNS, seed: printedSeed(RUNS) },
    );
  });

  it('keeps every value with its type, and a column that is called __proto__', () => {
    const record = JSON.parse('{"id":"a","__proto__":{"$blob":"AA=="}}') as object;
    const read = toChange({ ...VALID, record }, 'change');
    expect([...(read.record ?? [])]).to.deep.equal([
      ['id', 'a'],
      ['__proto__', Buffer.from([0])],
    ]);
    expect(read.version).to.deep.equal({
      rank: 3,
      stamp: VALID.stamp,
      origin: VALID.origin,
      fingerprint: VALID.fingerprint,
      seen: VALID.seen,
    });
    expect(read.key).to.deep.equal(['a', 1n]);
  });

  it('names the place of the fault', () => {
    expect(() => toChange({ ...VALID, stamp: -1 }, 'changes[3]')).to.throw(/^changes\[3\]\.stamp/);
    expect(() => toChange({ ...VALID, record: null }, 'changes[3]')).to.throw(/operation and record differ/);
    expect(() => toChange({ ...VALID, fingerprint: undefined }, 'changes[3]')).to.throw(/\.fingerprint/);
  });
});

function outcomeOf(wire: unknown): string {
  try {
    toChange(wire, 'change');
    return 'read';
  } catch (error) {
    return error instanceof SyncError ? error.code : String(error);
  }
}
