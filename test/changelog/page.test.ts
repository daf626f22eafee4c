import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import type { WireChange } from '#src/wire/change.js';
import type { WirePage } from '#src/wire/page.js';
import type { Heard } from '#src/wire/members.js';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';

const SCHEMA = `
  CREATE TABLE plain (id TEXT PRIMARY KEY, body);
  CREATE TABLE "odd ""name" ("a b" INTEGER, "select" BLOB, body, PRIMARY KEY ("a b", "select"));
`;

describe('a page of the changelog', () => {
  let group: QuickGroup;
  let replica: QuickReplica;
  before(() => (group = new QuickGroup(SCHEMA, [tableConfig('plain'), tableConfig('odd "name')])));
  beforeEach(() => (replica = group.add('ann')));
  afterEach(() => group.clear());
  after(() => group.remove());

  type PageOfRows = Omit<WirePage, 'changes'> & { readonly changes: readonly WireChange[] };

  function page(since = '', limit = 100, puller: string | null = null): PageOfRows {
    return JSON.parse(replica.page(since, limit, puller)) as PageOfRows;
  }

  function fill(rows: number): void {
    const insert = replica.app.prepare('INSERT INTO plain VALUES (?, ?)');
    for (let row = 0; row < rows; row += 1) insert.run(String(row).padStart(4, '0'), 'x');
    replica.fold();
  }

  it('of an empty log is empty, and its cursor leads on', () => {
    const first = page();
    expect(first).to.include({ protocol: 1, node: 'ann', has_more: false, behind: 0 });
    expect(first.changes).to.deep.equal([]);
    fill(1);
    expect(page(first.next_cursor).changes).to.have.length(1);
  });

  it('holds no more than its limit, and the pages together every row once', () => {
    fill(25);
    const seen: unknown[] = [];
    for (let cursor = '', more = true; more;) {
      const next = page(cursor, 10);
      seen.push(...next.changes.map((change) => change.key[0]));
      expect(next.changes.length).to.be.at.most(10);
      expect(next.behind).to.equal(25 - seen.length);
      cursor = next.next_cursor;
      more = next.has_more;
    }
    expect(seen).to.have.length(25);
    expect(new Set(seen).size).to.equal(25);
  });

  it('ends at 4 MiB, but holds one row at least', () => {
    const insert = replica.app.prepare('INSERT INTO plain VALUES (?, ?)');
    for (const id of ['a', 'b', 'c']) insert.run(id, 'x'.repeat(3_000_000));
    insert.run('d', 'x'.repeat(5_000_000));
    replica.fold();
    const sizes: number[] = [];
    for (let cursor = '', more = true; more;) {
      const next = page(cursor);
      sizes.push(next.changes.length);
      cursor = next.next_cursor;
      more = next.has_more;
    }
    expect(sizes).to.deep.equal([1, 1, 1, 1]);
  });

  it('leaves out what came from the puller itself, and only names what it authored and came from elsewhere', () => {
    fill(3);
    const [bob, cid] = [group.add('bob'), group.add('cid')];
    bob.pullFrom(replica);
    cid.pullFrom(bob);
    const changesOf = (from: QuickReplica, puller: string) =>
      (JSON.parse(from.page('', 100, puller)) as WirePage).changes;
    expect(changesOf(bob, replica.origin)).to.deep.equal([]);
    const named = changesOf(cid, replica.origin);
    expect(named.map(({ key }) => key)).to.deep.equal([['0000'], ['0001'], ['0002']]);
    for (const each of named) expect(each).to.not.have.property('record');
    for (const each of changesOf(cid, 'dan@1')) expect(each).to.have.property('record');
  });

  it('brings that too where the puller had the log before and compares everything once more', () => {
    fill(3);
    const witness = page().next_cursor;
    const again = JSON.parse(replica.page('', 100, replica.origin, { witness })) as WirePage;
    expect(again.changes).to.have.length(3);
  });

  it('is refused where the puller had a log before that this one is not', () => {
    fill(3);
    const [epoch = '', logId = ''] = page().next_cursor.split('.');
    const ask = (witness: string) => () => replica.page('', 100, 'bob@1', { witness });
    expect(ask(`${epoch}.${logId}.000000000000`))
      .to.throw(SyncError)
      .with.property('code', 'log_rewound');
    expect(ask('0123.1.000000000000'), 'of another instance').not.to.throw();
  });

  it('is refused where the puller has heard of an instance that came after this one', () => {
    const { born_ms = 0, epoch = '' } = replica.members().get('ann') ?? {};
    const ask = (heard: Heard) => () => replica.page('', 100, 'bob@1', { heard });
    const later = { epoch: '0123', born_ms: born_ms + 1 };
    expect(ask(later)).to.throw(SyncError).with.property('code', 'log_rewound');
    expect(ask({ ...later, epoch }), 'whose claims began anew').not.to.throw();
    expect(ask({ ...later, born_ms: born_ms - 1 }), 'of before its renewal').not.to.throw();
  });

  it('tells a puller of the instance that was heard of in its place', () => {
    const bob = group.add('bob');
    bob.pullFrom(replica);
    replica.pullFrom(bob);
    expect(page('', 1, bob.origin)).not.to.have.property('your_instance');
    const [, epoch] = bob.origin.split('@');
    expect(page('', 1, 'bob@0123').your_instance).to.include({ epoch });
    expect(page('', 1, 'cid@0123')).not.to.have.property('your_instance');
  });

  it('promises more at the end of what is folded where a page or more still waits for the fold', () => {
    fill(3);
    replica.app.exec(`INSERT INTO plain VALUES ('n1', 1), ('n2', 1)`);
    const before = page('', 2);
    const end = page(before.next_cursor, 2);
    expect(end).to.include({ has_more: true, behind: 0 });
    expect(end.changes).to.have.length(1);
    expect(page(end.next_cursor, 2)).to.deep.include({ has_more: false, changes: [] });
    expect(page(before.next_cursor, 3), 'less than a page waits').to.include({ has_more: false });
    replica.fold();
    expect(page(end.next_cursor, 2).changes).to.have.length(2);
  });

  it('ends before a row that was written since the fold, and goes on there once that is folded', () => {
    fill(3);
    replica.app.exec(
      `UPDATE plain SET body = 'newer' WHERE id = '0001'; INSERT INTO plain VALUES ('new', 1)`,
    );
    const before = page();
    expect(before.changes.map((change) => change.key[0])).to.deep.equal(['0000']);
    // more is there at once where the fold catches up before the next request
    expect(before).to.include({ has_more: true, behind: 2 });
    const waiting = page(before.next_cursor);
    expect(waiting).to.include({ has_more: false, behind: 2, next_cursor: before.next_cursor });
    expect(waiting.changes).to.deep.equal([]);
    replica.fold();
    const after = page(before.next_cursor);
    expect(after.changes.map((change) => change.record)).to.have.deep.members([
      { id: '0002', body: 'x' },
      { id: '0001', body: 'newer' },
      { id: 'new', body: 1 },
    ]);
  });

  it('brings a row in the end that was written again as it was, before its puller had it', () => {
    fill(3);
    replica.app.exec(`UPDATE plain SET body = 'x' WHERE id = '0001'`);
    const before = page();
    replica.fold();
    const after = page(before.next_cursor);
    const keys = [...before.changes, ...after.changes].map((change) => change.key[0]);
    expect(keys).to.deep.equal(['0000', '0001', '0002']);
  });

  it('carries keys and names of every kind', () => {
    replica.app
      .prepare('INSERT INTO "odd ""name" VALUES (?, ?, ?)')
      .run(9007199254740993n, Buffer.from([1, 255]), 0.5);
    replica.app.exec(`INSERT INTO plain VALUES (CAST(X'61ff' AS TEXT), CAST(X'fe' AS TEXT))`);
    replica.fold();
    expect(page().changes.map(({ table, key, record }) => ({ table, key, record }))).to.deep.equal([
      {
        table: 'odd "name',
        key: [{ $int: '9007199254740993' }, { $blob: 'Af8=' }],
        record: { 'a b': { $int: '9007199254740993' }, select: { $blob: 'Af8=' }, body: 0.5 },
      },
      {
        table: 'plain',
        key: [{ $text: 'Yf8=' }],
        record: { id: { $text: 'Yf8=' }, body: { $text: '/g==' } },
      },
    ]);
  });

  it('refuses a cursor of another log, of another epoch, and of a longer log', () => {
    fill(2);
    const [epoch = '', id = '', mark = ''] = page().next_cursor.split('.');
    const foreign = {
      nonsense: 'cursor_invalid',
      [`abcdef.${id}.${mark}`]: 'cursor_invalid',
      [`${epoch}.${id}.000000000000`]: 'log_rewound',
      [`${epoch}.999.${mark}`]: 'log_rewound',
    };
    for (const [cursor, code] of Object.entries(foreign)) {
      expect(() => page(cursor), cursor)
        .to.throw(SyncError)
        .with.property('code', code);
    }
  });
});
