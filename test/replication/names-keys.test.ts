import { expect } from 'chai';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';

const CASES: Record<string, [schema: string, ...writes: string[]]> = {
  'a composite key': [
    'CREATE TABLE t (a TEXT, b INTEGER, v, PRIMARY KEY (a, b))',
    "INSERT INTO t VALUES ('x', 1, 1), ('x', 2, 1)",
    'DELETE FROM t WHERE b = 1',
  ],
  blobs: [
    'CREATE TABLE t (k BLOB PRIMARY KEY, v)',
    "INSERT INTO t VALUES (x'00ff', 1), ('00ff', 2), (1, 3)",
    'UPDATE t SET v = 9',
  ],
  '1 then 1.0': ['CREATE TABLE t (k PRIMARY KEY, v)', 'INSERT INTO t VALUES (1, 1)', 'UPDATE t SET k = 1.0'],
  '1.0 deleted': [
    'CREATE TABLE t (k PRIMARY KEY, v)',
    'INSERT INTO t VALUES (1.0, 1)',
    'UPDATE t SET k = 1',
    'DELETE FROM t',
  ],
  'text that is not UTF-8': [
    'CREATE TABLE t (k TEXT PRIMARY KEY, v)',
    "INSERT INTO t VALUES (CAST(x'ff00fe' AS TEXT), CAST(x'c3' AS TEXT))",
    'UPDATE t SET v = 1',
  ],
  NOCASE: [
    'CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY, v)',
    "INSERT INTO t VALUES ('abc', 1)",
    "UPDATE t SET k = 'ABC'",
    'DELETE FROM t',
    "INSERT OR REPLACE INTO t VALUES ('aBc', 2)",
  ],
  RTRIM: [
    'CREATE TABLE t (k TEXT COLLATE RTRIM PRIMARY KEY, v)',
    "INSERT INTO t VALUES ('abc', 1)",
    "UPDATE t SET k = 'abc  '",
  ],
  'large integers': [
    'CREATE TABLE t (k PRIMARY KEY, v)',
    'INSERT INTO t VALUES (9007199254740993, 1), (9007199254740993.0, 2), (-0.0, 3), (1e400, 4)',
    'UPDATE t SET v = 5',
  ],
  'without rowid': [
    'CREATE TABLE t (a TEXT, b BLOB, v, PRIMARY KEY (b, a)) WITHOUT ROWID',
    "INSERT INTO t VALUES ('x', x'01', 1)",
    'UPDATE t SET v = 2',
  ],
};

for (const [name, [schema, ...writes]] of Object.entries(CASES))
  describe(`what a page names by its key, ${name}`, () => {
    it('is recognised, and nothing moves once all have it', () => {
      const group = new QuickGroup(schema, [tableConfig('t', { allowIntegerKey: true })]);
      try {
        const all = ['ann', 'bob', 'cid'].map((node) => group.add(node)) as [
          QuickReplica,
          QuickReplica,
          QuickReplica,
        ];
        const [ann, bob, cid] = all;
        let wholes = 0;
        for (const each of all) {
          const page = each.page.bind(each);
          each.page = (since, limit, puller, start = {}) => {
            if ((start as { whole?: boolean }).whole) wholes += 1;
            return page(since, limit, puller, start);
          };
        }
        const settle = () => {
          for (let round = 0; round < 3; round += 1)
            for (const a of all) for (const b of all) if (a !== b) a.pullFrom(b);
        };
        ann.app.exec(writes[0] ?? '');
        settle();
        for (const write of writes.slice(1)) {
          group.nowMs += 10;
          ann.app.exec(write);
          ann.fold();
          bob.pullFrom(ann);
          cid.pullFrom(ann);
          expect(bob.pullFrom(cid)).to.include({ received: 0 });
          group.nowMs += 10;
          cid.app.exec(write);
          cid.fold();
          settle();
        }
        settle();
        const rows = all.map(({ app }) =>
          JSON.stringify(app.prepare('SELECT *, typeof(v) FROM t ORDER BY 1').all()),
        );
        expect(new Set(rows).size).to.equal(1);
        for (const a of all)
          for (const b of all) if (a !== b) expect(a.pullFrom(b)).to.include({ received: 0, named: 0 });
        expect(wholes, 'asked whole').to.equal(0);
      } finally {
        group.remove();
      }
    });
  });
