import { expect } from 'chai';
import { Pair, TortureReplica } from './replicas.js';
import { runMain } from '../cli/captured.js';
import { shell } from './foreign-writers.js';
import { withPrograms } from '../replication/foreign-programs.js';

interface Finding {
  readonly name: string;
  readonly replicable: boolean;
  readonly reason: string | null;
  readonly remedy: string | null;
}

/** What can't be replicated: why, and what its owner can do about it. */
const REFUSED: readonly {
  what: string;
  schema: string;
  table?: string;
  entry?: object;
  reason: RegExp;
  remedy: RegExp;
}[] = [
  {
    what: 'a table without a key',
    schema: 'CREATE TABLE t (a TEXT, b TEXT)',
    reason: /no primary key/,
    remedy: /Add one .*UUID|unique index/,
  },
  {
    what: 'a table whose only unique index leaves rows out',
    schema: 'CREATE TABLE t (a TEXT NOT NULL, b); CREATE UNIQUE INDEX i ON t (a) WHERE b IS NULL',
    reason: /no primary key/,
    remedy: /unique index/,
  },
  {
    what: 'NULL in a key',
    schema: `CREATE TABLE t (id TEXT PRIMARY KEY, b); INSERT INTO t VALUES ('a', 1), (NULL, 2)`,
    reason: /rows with NULL in its key/,
    remedy: /Give (them|those rows) a key, or delete them/,
  },
  {
    what: 'NULL in one column of a composite key',
    schema: `CREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (a, b)); INSERT INTO t VALUES ('a', NULL)`,
    reason: /rows with NULL in its key/,
    remedy: /Give (them|those rows) a key, or delete them/,
  },
  {
    what: 'an INTEGER PRIMARY KEY that is not allowed by name',
    schema: 'CREATE TABLE t (id INTEGER PRIMARY KEY, b)',
    reason: /INTEGER PRIMARY KEY: two replicas would give the same number to different rows/,
    remedy: /UUID text, or set allow_integer_key: true/,
  },
  {
    what: 'a virtual table, which can have no triggers',
    schema: 'CREATE VIRTUAL TABLE t USING fts5(body)',
    reason: /is a virtual table/,
    remedy: /Replicate the table that it indexes/,
  },
  {
    what: 'an R-Tree',
    schema: 'CREATE VIRTUAL TABLE t USING rtree(id, x1, x2)',
    reason: /is a virtual table/,
    remedy: /Replicate the table that it indexes/,
  },
  {
    what: 'a shadow table, which looks like an ordinary one',
    schema: 'CREATE VIRTUAL TABLE found USING fts5(body)',
    table: 'found_content',
    reason: /shadow table/,
    remedy: /Leave it out/,
  },
  {
    what: 'a view',
    schema: 'CREATE TABLE base (id TEXT PRIMARY KEY); CREATE VIEW t AS SELECT * FROM base',
    reason: /is a view/,
    remedy: /Replicate the tables that it reads/,
  },
  {
    what: 'a generated column in the key',
    schema: 'CREATE TABLE t (a TEXT NOT NULL, g TEXT AS (a) NOT NULL UNIQUE)',
    entry: { primary_key: ['g'] },
    reason: /generated column "g" in its key/,
    remedy: /Name stored columns/,
  },
  {
    what: 'more columns than can be compared',
    schema: `CREATE TABLE t (id TEXT PRIMARY KEY, ${Array.from({ length: 1000 }, (_, index) => `c${index}`).join()})`,
    reason: /has 1001 columns/,
    remedy: /Split it/,
  },
  {
    what: 'a key compared by a collation of the application, which we do not have',
    schema: 'CREATE TABLE t (id TEXT COLLATE german PRIMARY KEY, b)',
    reason: /collation "?german"?/i,
    remedy: /BINARY|unique index/,
  },
];

withPrograms(['sqlite3'], () => {
  describe('tables that can not be replicated', () => {
    for (const { what, schema, table = 't', entry = {}, reason, remedy } of REFUSED) {
      it(`are refused by init and by migrate, with the reason and the remedy: ${what}`, async () => {
        const tables = [{ name: table, ...entry }];
        const replica = new TortureReplica('ann', { schema: '', tables });
        makeSchema(replica, schema);
        const before = replica.rows('SELECT * FROM sqlite_schema');

        const { status, stderr } = await replica.command('migrate', '--no-backup');
        expect(status).to.equal(2);
        expect(stderr).to.match(reason).and.to.match(remedy).and.to.include(`"${table}"`);
        expect(replica.rows('SELECT * FROM sqlite_schema'), 'changed by migrate').to.deep.equal(before);

        const finding = await inspected(replica, table);
        expect(finding).to.include({ name: table, replicable: false });
        expect(finding?.reason).to.match(reason);
        expect(finding?.remedy).to.match(remedy);
        expect(replica.rows('SELECT * FROM sqlite_schema'), 'changed by init').to.deep.equal(before);
      });
    }

    it('do not stop the others: what needs a function or a collation of the application is held, with the reason', async () => {
      const pair = await Pair.create({
        schema: `
          CREATE TABLE sorted (id TEXT PRIMARY KEY, t TEXT); CREATE INDEX sorted_t ON sorted (t COLLATE nocase);
          CREATE TABLE checked (id TEXT PRIMARY KEY, t CHECK (likely(t) IS NOT 5));
          CREATE TABLE plain (id TEXT PRIMARY KEY, t)`,
      });
      shell(
        pair.ann.file,
        `INSERT INTO sorted VALUES ('a', 'x'); INSERT INTO checked VALUES ('b', 1); INSERT INTO plain VALUES ('c', 1);`,
      );
      await pair.bob.close();
      bringAlong(pair.bob.file, ['nocase', 'german'], ['likely', 'app_function']);
      await pair.settle();
      expect(pair.bob.values('SELECT id FROM plain')).to.deep.equal(['c']);
      expect(pair.bob.held.join('; ')).to.include('german').and.to.include('app_function');
      expect(pair.bob.held).to.have.length(2);
      await pair.close();
    });

    it('do not keep the others out: init leaves them out of the configuration that it writes, and that works', async () => {
      const schema = `
        CREATE TABLE good (id TEXT PRIMARY KEY, body);
        CREATE TABLE keyless (a, b);
        CREATE TABLE numbered (id INTEGER PRIMARY KEY);
        CREATE VIRTUAL TABLE found USING fts5(body);
        CREATE VIEW seen AS SELECT * FROM good;`;
      const replica = new TortureReplica('ann', { schema, tables: [{ name: 'good' }] });
      await replica.run('init', '--db', replica.file, '--force');
      await replica.migrate();
      expect(
        replica.values(`SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger'`),
      ).to.deep.equal(['good']);
      await replica.close();
    });
  });
});

function makeSchema(replica: TortureReplica, schema: string): void {
  shell(replica.file, `${schema.replace('german', 'nocase')};`);
  if (schema.includes('german')) bringAlong(replica.file, ['nocase', 'german']);
}

/** Leaves a schema behind as an application does that brings functions or collations of its own with it. */
function bringAlong(file: string, ...replaced: readonly (readonly [string, string])[]): void {
  const updates = replaced.map(
    ([known, own]) => `UPDATE sqlite_schema SET sql = replace(sql, '${known}', '${own}');`,
  );
  shell(file, `PRAGMA writable_schema = ON; ${updates.join(' ')} PRAGMA writable_schema = RESET;`);
}

async function inspected(replica: TortureReplica, table: string): Promise<Finding | undefined> {
  const { status, stdout } = await runMain([
    'init',
    '--db',
    replica.file,
    '--print',
    '--json',
    '--node',
    'ann',
  ]);
  expect(status).to.equal(0);
  const { tables } = JSON.parse(stdout) as { tables: Finding[] };
  return tables.find(({ name }) => name === table);
}
