import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { parsePage } from '#src/wire/page.js';
import { blocksOf, documentAt, PROJECT } from '../docs/documents.js';
import { execute } from '../replication/content.js';
import { ReplicaGroup } from '../replication/group.js';

type Json = Record<string, unknown>;

const TABLES = [{ name: 'words', timestamp_column: 'updated_at' }];
const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english, updated_at INTEGER)';

describe('docs/page.schema.json', function () {
  this.timeout(60_000);
  let valid: ValidateFunction;

  before(() => {
    const schema = JSON.parse(readFileSync(join(PROJECT, 'docs/page.schema.json'), 'utf8')) as object;
    valid = new Ajv2020({ strict: false, allErrors: true }).compile(schema);
  });

  const example = (): Json => {
    const block = blocksOf(documentAt('docs/protocol.md')).find(({ info }) => info === 'json page');
    return JSON.parse(block?.text ?? '') as Json;
  };

  it('takes the page that docs/protocol.md shows', () => {
    expect(valid(example()), JSON.stringify(valid.errors)).to.equal(true);
  });

  it('takes every page of a feed: to a stranger, to a peer, with names and members', async () => {
    const group = await ReplicaGroup.create({
      tables: TABLES,
      peers: { ann: ['carl'], carl: ['bob'], bob: ['ann'] },
    });
    try {
      for (const replica of group.replicas) {
        replica.create(SCHEMA);
        execute(
          replica.database,
          `INSERT INTO words VALUES ('of ${replica.name}', 1.0, 1), ('w', x'00', 2), ('big', 9223372036854775807, 3)`,
        );
        await replica.join();
        await replica.start();
      }
      await group.settle();
      const [ann, bob] = [group.replica('ann'), group.replica('bob')];
      execute(
        ann.database,
        "DELETE FROM words WHERE id = 'w'; UPDATE words SET english = 'x' WHERE id = 'big'",
      );
      await group.settle();
      const { epoch } = (await (await bob.fetch('/health')).json()) as { epoch: string };
      const seen: Json[] = [];
      for (const query of ['', '?limit=1', `?node=bob&epoch=${epoch}`, '?node=dora&epoch=00']) {
        seen.push((await (await ann.fetch(`/sync/changes${query}`)).json()) as Json);
      }
      for (const page of seen) expect(valid(page), JSON.stringify(valid.errors)).to.equal(true);
      const changes = seen.flatMap((page) => page.changes as Json[]);
      expect(
        changes.some((change) => !('record' in change)),
        'a name',
      ).to.equal(true);
      expect(changes.some(({ operation }) => operation === 'delete')).to.equal(true);
      expect(seen.some(({ members }) => Array.isArray(members) && members.length > 1)).to.equal(true);
    } finally {
      await group.remove();
    }
  });

  const change = (page: Json, fields: Json): Json => {
    const [first, ...rest] = page.changes as Json[];
    return { ...page, changes: [{ ...first, ...fields }, ...rest] };
  };
  const FAULTS: readonly [string, (page: Json) => Json][] = [
    ['another protocol', (page) => ({ ...page, protocol: 2 })],
    ['no cursor', (page) => ({ ...page, next_cursor: 'somewhere' })],
    ['a node id with a space', (page) => ({ ...page, node: 'a b' })],
    ['an unknown operation', (page) => change(page, { operation: 'replace' })],
    ['an empty key', (page) => change(page, { key: [] })],
    ['an upsert without a row', (page) => change(page, { record: null })],
    ['a delete with a row', (page) => change(page, { operation: 'delete' })],
    ['an upsert without a fingerprint', (page) => change(page, { fingerprint: undefined })],
    ['an unsafe integer', (page) => change(page, { key: [2 ** 53] })],
    ['an unknown tag', (page) => change(page, { key: [{ $date: '1' }] })],
    ['bad base64', (page) => change(page, { key: [{ $blob: 'abc' }] })],
    ['true', (page) => change(page, { key: [true] })],
    ['a negative stamp', (page) => change(page, { stamp: -1 })],
    ['an origin without an epoch', (page) => change(page, { origin: 'bob' })],
    ['a claim with half a place', (page) => ({ ...page, members: [member({ log_id: 3, mark: '' })] })],
    ['a pruned table without a rank', (page) => ({ ...page, pruned: [{ table: 'words', stamp: 1 }] })],
  ];

  for (const [what, spoil] of FAULTS) {
    it(`refuses ${what}, as the program does`, () => {
      // as text and back, so that undefined is absent
      const body = JSON.stringify(spoil(example()));
      expect(valid(JSON.parse(body))).to.equal(false);
      expect(() => parsePage(Buffer.from(body))).to.throw();
    });
  }

  it('takes fields that a newer release adds, as the program does', () => {
    const page = change({ ...example(), added: 1 }, { added_too: 'x' });
    expect(valid(page), JSON.stringify(valid.errors)).to.equal(true);
    expect(() => parsePage(Buffer.from(JSON.stringify(page)))).to.not.throw();
  });
});

function member(claim: Json): Json {
  const about = { born_ms: 1, told_ms: 1, held: 0, tables: '', forgotten_ms: null };
  return { node: 'ann', epoch: '0a', ...about, claims: { 'bob@0b': claim } };
}
