import { expect } from 'chai';
import { parseFingerprintQuery } from '#src/feed/fingerprint-query.js';
import { thrownBy } from '../thrown.js';
import { serveFeed, type ServedFeed } from './serve.js';

describe('The query of /sync/fingerprint', () => {
  const refused: [string, Record<string, string>, RegExp][] = [
    ['an unknown parameter', { table: 'words', tabel: 'x' }, /tabel/],
    ['a range without a table', { after: '["a"]' }, /table is missing/],
    ['a key that is no JSON', { table: 'words', after: '["a"' }, /after must be JSON/],
    ['a key that is no list', { table: 'words', after: '"a"' }, /after/],
    ['a value that is none', { table: 'words', upto: '[{"$int":"x"}]' }, /upto\.0 holds no value/],
    ['a part of no rows', { table: 'words', rows: '0' }, /rows must be 1 or more/],
    ['more parts than an answer holds', { table: 'words', parts: '65' }, /parts must be 64 or less/],
    ['a list that is too long', { table: 'words', list: '1', rows: '1001' }, /1000 or less/],
    ['keys with a range', { table: 'words', keys: '[["a"]]', after: '["a"]' }, /without a range/],
    ['too many keys', { table: 'words', keys: JSON.stringify(Array(201).fill(['a'])) }, /keys/],
    ['changes without keys', { table: 'words', changes: '1' }, /changes needs keys/],
  ];
  for (const [what, query, says] of refused) {
    it(`is refused with ${what}`, () => {
      const error = thrownBy(() => parseFingerprintQuery(query));
      expect(error.code).to.equal('bad_query');
      expect(error.message).to.match(says);
    });
  }
});

describe('GET /sync/fingerprint', () => {
  let feed: ServedFeed;
  afterEach(() => feed.close());

  it('divides a range into parts that end at keys, in stretches of 2000 rows at most', async () => {
    const asked: unknown[] = [];
    let left = 5_000;
    feed = await serveFeed();
    const { reader } = feed.database;
    await feed.close();
    feed = await serveFeed({
      reader: {
        ...reader,
        stretch: ({ after, limit }) => {
          asked.push([after?.[0] ?? null, limit]);
          const rows = Math.min(limit, left);
          left -= rows;
          const sum = '0'.repeat(15) + '1';
          return Promise.resolve({
            rows,
            content: sum,
            versions: sum,
            last: left === 0 ? null : [5_000 - left],
          });
        },
      },
    });
    const answer = await fetch(`${feed.url}/sync/fingerprint?table=words&rows=3000`);
    const { parts, complete } = (await answer.json()) as { parts: object[]; complete: boolean };
    expect(asked).to.deep.equal([
      [null, 2000],
      [2000, 1000],
      [3000, 2000],
    ]);
    expect(complete).to.equal(true);
    expect(parts).to.deep.equal([
      { upto: [3000], rows: 3000, content: '0000000000000002', versions: '0000000000000002' },
      { upto: null, rows: 2000, content: '0000000000000001', versions: '0000000000000001' },
    ]);
  });

  it('takes the same as a body, and needs the key as every other route does', async () => {
    feed = await serveFeed({ apiKeys: ['k'.repeat(32)] });
    const ask = (headers: Record<string, string>) =>
      fetch(`${feed.url}/sync/fingerprint`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ table: 'words', keys: '[["a"]]' }),
      });
    expect((await ask({})).status).to.equal(401);
    const answer = await ask({ 'x-api-key': 'k'.repeat(32) });
    expect(await answer.json()).to.deep.equal({ node: 'desktop', epoch: 'e0', rows: [] });
    expect(feed.database.folds).to.equal(1);
  });

  it('answers 400 to a query that is not valid', async () => {
    feed = await serveFeed();
    const answer = await fetch(`${feed.url}/sync/fingerprint?table=words&rows=many`);
    expect(answer.status).to.equal(400);
    expect(await answer.json()).to.have.nested.property('error.code', 'bad_query');
  });
});
