import { expect } from 'chai';
import fc from 'fast-check';
import {
  canonical,
  formatClaims,
  isForgotten,
  membersHash,
  membersSchema,
  mergeMembers,
  NOTHING,
  parseClaims,
  tablesHash,
  unheard,
  type Claim,
  type Member,
} from '#src/wire/members.js';
import { printedSeed, runsOf } from '../random.js';

const RUNS = runsOf({ suite: 2_000, soak: 100_000 });

const ann: Member = { ...unheard('ann', 'a1'), born_ms: 10, told_ms: 20, tables: tablesHash(['words']) };

/** Places in two logs that branch after the first few log ids. */
const claim = fc
  .tuple(fc.nat({ max: 5 }), fc.constantFrom('a', 'b'))
  .map(([log_id, branch]): Claim => (log_id === 0 ? NOTHING : { log_id, mark: log_id < 3 ? 'c' : branch }));

/** Rows of one replica; its second instance was born after the first. */
const row = fc
  .record({
    epoch: fc.constantFrom('a1', 'a2'),
    born_ms: fc.nat({ max: 3 }),
    told_ms: fc.nat({ max: 4 }),
    held: fc.nat({ max: 1 }),
    tables: fc.constantFrom('', tablesHash(['words'])),
    forgotten_ms: fc.option(fc.nat({ max: 4 })),
    claims: fc.dictionary(fc.constantFrom('bob@b1', 'cid@c1'), claim),
  })
  .map((fields): Member => {
    const born_ms = fields.epoch === 'a2' ? fields.born_ms + 10 : fields.born_ms;
    return { ...ann, ...fields, born_ms };
  });

describe('rows of members', () => {
  it('merge to the same, in whatever order and however often they arrive', () => {
    const seed = printedSeed(RUNS);
    fc.assert(
      fc.property(row, row, row, (a, b, c) => {
        const both = canonical(mergeMembers(a, b));
        expect(canonical(mergeMembers(b, a))).to.equal(both);
        expect(canonical(mergeMembers(mergeMembers(a, b), b))).to.equal(both);
        const left = mergeMembers(mergeMembers(a, b), c);
        expect(canonical(left)).to.equal(canonical(mergeMembers(a, mergeMembers(b, c))));
      }),
      { numRuns: RUNS, seed },
    );
  });

  it('keep the claim that goes furthest with its mark, and what was said last of the rest', () => {
    const far = { log_id: 17, mark: '07' };
    const before = { ...ann, held: 2, claims: { 'bob@b1': far, 'cid@c1': NOTHING } };
    const later = {
      ...ann,
      told_ms: 21,
      claims: { 'bob@b1': { log_id: 5, mark: 'ff' }, 'cid@c1': { log_id: 4, mark: '04' } },
    };
    expect(mergeMembers(later, before)).to.deep.equal({
      ...later,
      claims: { ...later.claims, 'bob@b1': far },
    });
  });

  it('begin anew with a new instance, and with other tables', () => {
    const before = { ...ann, claims: { 'bob@b1': { log_id: 7, mark: 'ab' } }, forgotten_ms: 15 };
    const instance = { ...ann, epoch: 'a2', born_ms: 30 };
    expect(mergeMembers(before, instance)).to.deep.equal(instance);
    const tables = { ...ann, born_ms: 30, tables: tablesHash(['words', 'notes']) };
    expect(mergeMembers(tables, before)).to.deep.equal({ ...tables, forgotten_ms: 15 });
  });

  it('are forgotten until they say something newer', () => {
    const forgotten = mergeMembers(ann, { ...ann, forgotten_ms: 25 });
    expect(isForgotten(forgotten)).to.equal(true);
    const back = mergeMembers(forgotten, { ...ann, told_ms: 26 });
    expect(back.forgotten_ms).to.equal(25);
    expect(isForgotten(back)).to.equal(false);
  });

  it('hash alike in any order of rows, claims and tables', () => {
    const claimed = { log_id: 1, mark: 'ab' };
    const bob = { ...unheard('bob', 'b1'), claims: { 'ann@a1': claimed, 'cid@c1': NOTHING } };
    const same = { ...bob, claims: { 'cid@c1': NOTHING, 'ann@a1': claimed } };
    const rewound = { ...bob, claims: { ...bob.claims, 'ann@a1': { ...claimed, mark: 'cd' } } };
    expect(membersHash([ann, bob])).to.equal(membersHash([same, ann]));
    expect(membersHash([ann, bob])).to.not.equal(membersHash([ann, rewound]));
    expect(membersHash([ann, bob])).to.not.equal(membersHash([ann]));
    expect(tablesHash(['Words', 'notes'])).to.equal(tablesHash(['NOTES', 'words']));
  });

  it('cross in a query without escapes, and come back as they were', () => {
    const claims = { 'bob@b1': NOTHING, 'cid.x-y_z@c1': { log_id: 12, mark: '5fa3' } };
    expect(formatClaims(claims)).to.equal('bob@b1:0,cid.x-y_z@c1:12.5fa3');
    expect(parseClaims('bob@b1:0,cid.x-y_z@c1:12.5fa3')).to.deep.equal(claims);
    expect(parseClaims('')).to.deep.equal({});
  });

  it('cross in a header of 16 KiB, with room for the rest of it, however long their names are', () => {
    const longest = { log_id: 999_999_999_999_999, mark: 'f'.repeat(64) };
    const names = Array.from({ length: 64 }, (_, i) => `${String(i).padStart(64, 'n')}@${'e'.repeat(64)}`);
    const claims = Object.fromEntries(names.map((name) => [name, longest]));
    const text = formatClaims(claims) ?? '';
    expect(text.length).to.be.within(64 * 64, 14_000);
    expect(parseClaims(text)).to.deep.equal(claims);
  });

  it('are refused where they are damaged or too many', () => {
    for (const text of [
      'bob',
      'bob@b1',
      'bob@b1:',
      'bob@b1:-1.ab',
      'bob@b1:1',
      'bob@b1:1.',
      'bob@b1:1.AB',
      'bob@b1:0.ab',
      'bob@B1:1.ab',
      '@b1:1.ab',
      'bob@b1:1.ab,',
      '\0@b1:1.ab',
    ]) {
      expect(parseClaims(text), text).to.equal(null);
    }
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`n${i}@e`, NOTHING]));
    expect(formatClaims(many)).to.equal(null);
    const text = Object.keys(many).map((instance) => `${instance}:0`);
    expect(parseClaims(text.join(','))).to.equal(null);
    expect(membersSchema.safeParse([ann]).success).to.equal(true);
    for (const damaged of [
      { epoch: 'XYZ' },
      { told_ms: -1 },
      { claims: { bob: NOTHING } },
      { claims: { 'bob@b1': 1 } },
      { more: 1 },
    ]) {
      expect(membersSchema.safeParse([{ ...ann, ...damaged }]).success).to.equal(false);
    }
    const crowd = Array.from({ length: 257 }, (_, i) => ({ ...ann, node: `n${i}` }));
    expect(membersSchema.safeParse(crowd).success).to.equal(false);
  });
});
