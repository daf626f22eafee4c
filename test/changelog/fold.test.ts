import { expect } from 'chai';
import { afterFold } from '#src/changelog/fold-all.js';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at, deleted_at);
  CREATE TABLE plain (id TEXT PRIMARY KEY, body);
  CREATE TABLE pairs (a TEXT, b INTEGER, body, PRIMARY KEY (a, b));
`;

const TABLES = [
  tableConfig('words', { timestampColumn: 'updated_at', softDeleteColumn: 'deleted_at' }),
  tableConfig('plain'),
  tableConfig('pairs'),
];

interface Entry {
  id: number;
  table_name: string;
  record_id: unknown;
  operation: string;
  timestamp: number | null;
  origin: number | null;
  tombstone: number;
}

describe('the fold', () => {
  let group: QuickGroup;
  let replica: QuickReplica;
  before(() => (group = new QuickGroup(SCHEMA, TABLES)));
  beforeEach(() => (replica = group.add('ann')));
  afterEach(() => group.clear());
  after(() => group.remove());

  function run(sql: string): void {
    replica.app.exec(sql);
  }

  function entries(): Entry[] {
    return replica.app
      .prepare<[], Entry>('SELECT *, fingerprint IS NULL AS tombstone FROM _sync_changes ORDER BY id')
      .all();
  }

  function versionOf(key: string): Entry | undefined {
    return entries().find((entry) => entry.record_id === key && entry.origin !== null);
  }

  it('leaves one entry a row, however often it was written', () => {
    for (let count = 0; count < 5; count += 1) run(`INSERT OR REPLACE INTO plain VALUES ('a', ${count})`);
    expect(entries()).to.have.length(5);
    expect(replica.fold()).to.equal(1);
    expect(entries()).to.have.length(1);
    run(`UPDATE plain SET body = 'again'`);
    replica.fold();
    expect(entries().map((entry) => entry.operation)).to.deep.equal(['UPDATE']);
  });

  it('needs no further transaction where one ends with the last entry', async () => {
    const found: [entries: number, transactions: number][] = [];
    // A slow machine has a part of its time, which is no whole number.
    for (const [count, boxMs] of [
      [100, 1],
      [101, 1],
      [125, 2.51],
      [126, 2.51],
    ] as const) {
      for (let number = 0; number < count; number += 1)
        run(`INSERT OR REPLACE INTO plain VALUES ('a', ${number})`);
      let transactions = 0;
      const folding = {
        run: <T>(work: () => T): Promise<T> => {
          transactions += 1;
          return Promise.resolve(replica.changelog.database.transaction(work).immediate());
        },
        changelog: () => replica.changelog,
        clock: () => replica.clocks,
        boxMs: () => boxMs,
      };
      const { folded } = await afterFold(folding, () => null);
      found.push([folded.entries, transactions]);
    }
    expect(found).to.deep.equal([
      [100, 1],
      [101, 2],
      [125, 1],
      [126, 2],
    ]);
  });

  it('sorts versions by key, whatever the order of writing', () => {
    run(`INSERT INTO plain VALUES ('c', 1), ('a', 1), ('b', 1)`);
    replica.fold();
    expect(entries().map((entry) => entry.record_id)).to.deep.equal(['a', 'b', 'c']);
  });

  it('takes the stamp from the row where it has a timestamp column', () => {
    run(`INSERT INTO words VALUES ('a', 'x', 1600000000000, NULL), ('b', 'x', '2020-09-13 12:26:40', NULL)`);
    replica.fold();
    expect(versionOf('a')?.timestamp).to.equal(1_600_000_000_000);
    expect(versionOf('b')?.timestamp).to.equal(1_600_000_000_000);
  });

  it('takes now where the timestamp does not parse, and where it lies too far ahead', () => {
    run(
      `INSERT INTO words VALUES ('a', 'x', 'yesterday', NULL), ('b', 'x', ${group.nowMs + 3_600_000}, NULL)`,
    );
    replica.fold();
    expect(versionOf('a')?.timestamp).to.equal(group.nowMs);
    expect(versionOf('b')?.timestamp).to.equal(group.nowMs);
  });

  it('raises the stamp above the version that is replaced, however slow the clock', () => {
    run(`INSERT INTO words VALUES ('a', 'x', 1600000000000, NULL)`);
    replica.fold();
    run(`UPDATE words SET english = 'y', updated_at = 5`);
    replica.fold();
    expect(versionOf('a')?.timestamp).to.equal(1_600_000_000_001);
  });

  it('keeps the version of a row that was written without change', () => {
    run(`INSERT INTO plain VALUES ('a', 1)`);
    replica.fold();
    const before = entries();
    run(`UPDATE plain SET body = 1; UPDATE plain SET body = 2; UPDATE plain SET body = 1`);
    expect(replica.fold()).to.equal(0);
    expect(entries()).to.deep.equal(before);
  });

  it("takes 1 and 1.0 and '1' for three contents", () => {
    for (const value of ['1', '1.0', "'1'"]) {
      run(`INSERT OR REPLACE INTO plain VALUES ('a', ${value})`);
      expect(replica.fold(), value).to.equal(1);
    }
  });

  it('tells two texts apart that JavaScript shows alike', () => {
    run(`INSERT INTO plain VALUES ('a', CAST(X'ff' AS TEXT))`);
    expect(replica.fold()).to.equal(1);
    run(`UPDATE plain SET body = CAST(X'fe' AS TEXT)`);
    expect(replica.fold()).to.equal(1);
  });

  it('makes a tombstone of a hard delete, and DELETE with a row of a soft one', () => {
    run(`INSERT INTO words VALUES ('a', 'x', 1, NULL), ('b', 'x', 1, NULL)`);
    replica.fold();
    run(`DELETE FROM words WHERE id = 'a'; UPDATE words SET deleted_at = 5 WHERE id = 'b'`);
    replica.fold();
    expect(versionOf('a')).to.include({ operation: 'DELETE', tombstone: 1 });
    expect(versionOf('b')).to.include({ operation: 'DELETE', tombstone: 0 });
  });

  it('brings a row back that was deleted and inserted again', () => {
    run(`INSERT INTO plain VALUES ('a', 1)`);
    replica.fold();
    run(`DELETE FROM plain`);
    replica.fold();
    run(`INSERT INTO plain VALUES ('a', 1)`);
    replica.fold();
    expect(versionOf('a')).to.include({ operation: 'INSERT', tombstone: 0 });
  });

  it('makes a tombstone of the old key and a version of the new one when a key changes', () => {
    run(`INSERT INTO pairs VALUES ('a', 1, 'x')`);
    replica.fold();
    run(`UPDATE pairs SET b = 2`);
    replica.fold();
    const found = replica.app
      .prepare(
        'SELECT record_id, record_id_2, fingerprint IS NULL AS tombstone FROM _sync_changes ORDER BY 2',
      )
      .all();
    expect(found).to.deep.equal([
      { record_id: 'a', record_id_2: 1, tombstone: 1 },
      { record_id: 'a', record_id_2: 2, tombstone: 0 },
    ]);
  });

  it('enters nothing of what a transaction took back', () => {
    run(`BEGIN; INSERT INTO plain VALUES ('a', 1); ROLLBACK`);
    expect(replica.fold()).to.equal(0);
    expect(entries()).to.deep.equal([]);
  });
});
