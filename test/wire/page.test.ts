import { expect } from 'chai';
import fc from 'fast-check';
import { SyncError } from '#src/errors.js';
import { parsePage } from '#src/wire/page.js';

const CHANGE = {
  seq: 1,
  table: 'words',
  operation: 'upsert',
  key: ['a'],
  stamp: 5,
  origin: 'desktop@7d0c',
  fingerprint: '0123456789abcdef',
  record: { id: 'a', n: { $int: '9007199254740993' } },
};
const PAGE = {
  protocol: 1,
  node: 'desktop',
  epoch: '7d0c',
  server_time_ms: 1,
  changes: [CHANGE],
  next_cursor: '7d0c.1.aa',
  has_more: false,
  behind: 0,
};

function parse(page: unknown): ReturnType<typeof parsePage> {
  return parsePage(Buffer.from(typeof page === 'string' ? page : JSON.stringify(page)));
}

function instances(count: number): [string, number][] {
  return Array.from({ length: count }, (_, index) => [`n${index}@a`, 1]);
}

describe('a page', () => {
  it('is read with its values decoded', () => {
    const [change] = parse(PAGE).changes;
    expect(change?.version).to.deep.equal({
      rank: 0,
      stamp: 5,
      origin: 'desktop@7d0c',
      fingerprint: '0123456789abcdef',
      seen: null,
    });
    expect(change?.record?.get('n')).to.equal(9007199254740993n);
  });

  it('numbers what its sender authored as the log of the sender does', () => {
    const [own, foreign] = parse({
      ...PAGE,
      next_cursor: '7d0c.2.aa',
      changes: [CHANGE, { ...CHANGE, seq: 2, origin: 'bob@1' }],
    }).changes;
    expect([own?.originSeq, own?.via]).to.deep.equal([1, 'desktop@7d0c']);
    expect([foreign?.originSeq, foreign?.via]).to.deep.equal([undefined, 'desktop@7d0c']);
  });

  it('tells what is only named from what comes with its row', () => {
    const name = { ...CHANGE, record: undefined };
    const deletion = { ...name, seq: 3, operation: 'delete', fingerprint: undefined };
    const page = parse({
      ...PAGE,
      next_cursor: '7d0c.3.aa',
      changes: [name, { ...CHANGE, seq: 2 }, deletion],
    });
    expect(page.changes.map(({ key }) => key)).to.deep.equal([['a']]);
    const version = { rank: 0, stamp: 5, origin: 'desktop@7d0c', seen: null };
    expect(page.named).to.deep.equal([
      { table: 'words', key: ['a'], version: { ...version, fingerprint: '0123456789abcdef' } },
      { table: 'words', key: ['a'], version: { ...version, fingerprint: '' } },
    ]);
  });

  it('is read as its bytes say, whatever its letters, and refused where they are no UTF-8', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(text, (word) => {
        for (const table of [`${word}漢😀`, `t${word}`]) {
          expect(parse({ ...PAGE, changes: [{ ...CHANGE, table }] }).changes[0]?.table).to.equal(table);
        }
      }),
    );
    const body = Buffer.from(JSON.stringify({ ...PAGE, more: '漢' }));
    expect(() => parsePage(body.subarray(0, -1))).to.throw(SyncError, /not JSON/);
    body[body.indexOf('漢')] = 0xff;
    expect(() => parsePage(body)).to.throw(SyncError, /not JSON/);
  });

  const damaged: [string, unknown, RegExp][] = [
    ['text that is not JSON', '{"protocol":1', /not JSON/],
    ['another protocol', { ...PAGE, protocol: 2 }, /page\.protocol/],
    ['a stamp that is no number', { ...PAGE, changes: [{ ...CHANGE, stamp: '5' }] }, /changes\[0\]\.stamp/],
    [
      'a stamp beyond the year 9999',
      { ...PAGE, changes: [{ ...CHANGE, stamp: 1e15 }] },
      /changes\[0\]\.stamp/,
    ],
    ['a negative stamp', { ...PAGE, changes: [{ ...CHANGE, stamp: -1 }] }, /changes\[0\]\.stamp/],
    ['a negative rank', { ...PAGE, changes: [{ ...CHANGE, rank: -1 }] }, /changes\[0\]\.rank/],
    ['a rank without end', { ...PAGE, changes: [{ ...CHANGE, rank: 2 ** 31 }] }, /changes\[0\]\.rank/],
    ['a rank of null', { ...PAGE, changes: [{ ...CHANGE, rank: null }] }, /changes\[0\]\.rank/],
    ['an origin that is none', { ...PAGE, changes: [{ ...CHANGE, origin: 'x' }] }, /changes\[0\]\.origin/],
    [
      'a name without a fingerprint',
      { ...PAGE, changes: [{ ...CHANGE, record: undefined, fingerprint: undefined }] },
      /changes\[0\]\.fingerprint/,
    ],
    [
      'a name without a key',
      { ...PAGE, changes: [{ ...CHANGE, record: undefined, key: [] }] },
      /changes\[0\]\.key/,
    ],
    [
      'an upsert without a record',
      { ...PAGE, changes: [{ ...CHANGE, record: null }] },
      /operation and record/,
    ],
    [
      'a delete with a record',
      { ...PAGE, changes: [{ ...CHANGE, operation: 'delete' }] },
      /operation and record/,
    ],
    [
      'an upsert without a fingerprint',
      { ...PAGE, changes: [{ ...CHANGE, fingerprint: undefined }] },
      /fingerprint/,
    ],
    ['a value of no known form', { ...PAGE, changes: [{ ...CHANGE, record: { id: true } }] }, /record\.id/],
    ['a clock that no clock shows', { ...PAGE, server_time_ms: 1e300 }, /page\.server_time_ms/],
    ['no node id', { ...PAGE, node: 'a\nb' }, /page\.node/],
    ['no epoch', { ...PAGE, epoch: 'X' }, /page\.epoch/],
    ['a cursor of another log', { ...PAGE, next_cursor: 'ab.1.aa' }, /next_cursor/],
    ['a cursor that is none', { ...PAGE, next_cursor: '' }, /next_cursor/],
    ['a cursor without end', { ...PAGE, next_cursor: '1'.repeat(1e6) }, /next_cursor/],
    ['more changes than any page has', { ...PAGE, changes: Array(10_001).fill(CHANGE) }, /page\.changes/],
    ['one place in the log twice', { ...PAGE, changes: [CHANGE, CHANGE] }, /changes\[1\]\.seq/],
    ['a place after its own cursor', { ...PAGE, changes: [{ ...CHANGE, seq: 2 }] }, /changes\[0\]\.seq/],
    ['a large row without a key', { ...PAGE, oversized: [{ seq: 1, table: 'a', key: [] }] }, /oversized/],
    [
      'more instances than any group has',
      { ...PAGE, changes: [{ ...CHANGE, seen: Object.fromEntries(instances(10_001)) }] },
      /too many instances/,
    ],
    ['an empty key', { ...PAGE, changes: [{ ...CHANGE, key: [] }] }, /changes\[0\]\.key/],
  ];
  it('is refused in few words, however many it uses itself', () => {
    const record = { [`a\n${'x'.repeat(1e6)}`]: true };
    expect(() => parse({ ...PAGE, changes: [{ ...CHANGE, record }] })).to.throw(SyncError, /^.{100,1000}$/s);
  });

  for (const [name, page, message] of damaged) {
    it(`is refused with the place of the fault: ${name}`, () => {
      expect(() => parse(page))
        .to.throw(SyncError, message)
        .with.property('code', 'page_damaged');
    });
  }
});
