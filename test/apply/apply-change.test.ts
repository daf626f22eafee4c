import { expect } from 'chai';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';

const SCHEMA = `
  CREATE TABLE plain (id TEXT PRIMARY KEY, body);
  CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT UNIQUE, name TEXT);
  CREATE TABLE fussy (id TEXT COLLATE NOCASE PRIMARY KEY, body TEXT);
`;

describe('applying changes', () => {
  let group: QuickGroup;
  before(
    () =>
      (group = new QuickGroup(SCHEMA, [tableConfig('plain'), tableConfig('users'), tableConfig('fussy')])),
  );
  // Captured times that lie further ahead than the allowed skew would all count as now.
  beforeEach(() => (group.nowMs = Date.now()));
  afterEach(() => group.clear());
  after(() => group.remove());

  function pair(alter = ''): [QuickReplica, QuickReplica] {
    return [group.add('ann'), group.add('bob', alter)];
  }

  function rows(replica: QuickReplica, table: string): unknown[] {
    return replica.app.prepare(`SELECT * FROM ${table} ORDER BY 1`).all();
  }

  function count(replica: QuickReplica, table: string): number {
    return replica.app.prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? -1;
  }

  it('keeps the loser of two edits that did not know each other, in full and once', () => {
    const [ann, bob] = pair();
    ann.app.exec(`INSERT INTO plain VALUES ('a', 'start')`);
    bob.pullFrom(ann);
    ann.app.exec(`UPDATE plain SET body = 'of ann'`);
    bob.app.exec(`UPDATE plain SET body = 'of bob'`);
    ann.fold();
    group.nowMs += 10;
    bob.app.exec(`UPDATE _sync_changes SET timestamp = timestamp + 10 WHERE origin IS NULL`);
    expect(bob.pullFrom(ann)).to.include({ applied: 0, conflicts: 1 });
    expect(ann.pullFrom(bob)).to.include({ applied: 1, conflicts: 1 });
    bob.pullFrom(ann);
    for (const replica of [ann, bob]) {
      const [conflict] = rows(replica, '_sync_conflicts') as { loser: string; winner: string }[];
      expect(JSON.parse(conflict?.loser ?? '')).to.deep.include({ record: { id: 'a', body: 'of ann' } });
      expect(JSON.parse(conflict?.winner ?? '')).to.deep.include({ record: { id: 'a', body: 'of bob' } });
      expect(count(replica, '_sync_conflicts')).to.equal(1);
      expect(rows(replica, 'plain')).to.deep.equal([{ id: 'a', body: 'of bob' }]);
    }
  });

  it('makes no conflict of a linear history, also through a third replica', () => {
    const [ann, bob] = pair();
    const cid = group.add('cid');
    ann.app.exec(`INSERT INTO plain VALUES ('a', 1)`);
    bob.pullFrom(ann);
    bob.app.exec(`UPDATE plain SET body = 2`);
    cid.pullFrom(bob);
    cid.app.exec(`DELETE FROM plain`);
    const met = [
      ann.pullFrom(cid),
      ann.pullFrom(bob),
      bob.pullFrom(cid),
      bob.pullFrom(ann),
      cid.pullFrom(ann),
    ];
    expect(met.map((counts) => counts.conflicts)).to.deep.equal([0, 0, 0, 0, 0]);
    expect([ann, bob, cid].map((replica) => count(replica, 'plain'))).to.deep.equal([0, 0, 0]);
  });

  it('takes a legacy row for written at 0 here, and keeps it in the ledger when it is overruled', () => {
    const legacy = `UPDATE _sync_guard SET applying = 1;
      INSERT INTO plain VALUES ('a', 'legacy'), ('same', 'x'); UPDATE _sync_guard SET applying = 0`;
    const [ann, bob] = pair(legacy);
    ann.app.exec(`INSERT INTO plain VALUES ('a', 'new'), ('same', 'x')`);
    expect(bob.pullFrom(ann)).to.include({ applied: 1, conflicts: 1 });
    expect(rows(bob, 'plain')).to.deep.equal(rows(ann, 'plain'));
    expect(count(bob, '_sync_conflicts')).to.equal(1);
  });

  it('leaves columns alone that the sender does not have', () => {
    const [ann, bob] = pair(`ALTER TABLE plain ADD COLUMN extra DEFAULT 'local'`);
    ann.app.exec(`INSERT INTO plain VALUES ('a', 1)`);
    bob.pullFrom(ann);
    bob.app.exec(`UPDATE plain SET extra = 'mine'`);
    ann.app.exec(`UPDATE plain SET body = 2`);
    ann.app.exec(`UPDATE _sync_changes SET timestamp = ${Date.now() + 1_000} WHERE origin IS NULL`);
    ann.fold();
    bob.pullFrom(ann);
    expect(rows(bob, 'plain')).to.deep.equal([{ id: 'a', body: 2, extra: 'mine' }]);
  });

  it('quarantines what this schema has no column for, and what a constraint refuses, and applies the rest', () => {
    const [ann, bob] = pair(`CREATE TRIGGER fussy_check BEFORE INSERT ON fussy WHEN NEW.body = 'bad'
      BEGIN SELECT RAISE(ABORT, 'not this'); END`);
    ann.app.exec(`ALTER TABLE users ADD COLUMN phone; INSERT INTO users VALUES ('u', 'e', 'n', 'p')`);
    const reopened = group.reopen(ann);
    reopened.app.exec(`INSERT INTO fussy VALUES ('a', 'bad'), ('b', 'good')`);
    expect(bob.pullFrom(reopened)).to.include({ applied: 1, quarantined: 2 });
    expect(rows(bob, 'fussy')).to.deep.equal([{ id: 'b', body: 'good' }]);
    const reasons = (rows(bob, '_sync_quarantine') as { reason: string }[]).map((row) => row.reason);
    expect(reasons).to.have.members(['no column "phone" in table "users"', 'not this']);
    reopened.app.exec(`UPDATE fussy SET body = 'better' WHERE id = 'a'`);
    bob.pullFrom(reopened);
    expect(count(bob, 'fussy')).to.equal(2);
    expect(count(bob, '_sync_quarantine')).to.equal(1);
  });

  it('holds a row that the schema or a trigger ignores, instead of taking it for written', () => {
    const [ann, bob] = pair(`CREATE TRIGGER no BEFORE INSERT ON plain WHEN NEW.body = 'bad'
      BEGIN SELECT RAISE(IGNORE); END;
      DROP TABLE fussy; CREATE TABLE fussy (id TEXT PRIMARY KEY, body TEXT UNIQUE ON CONFLICT IGNORE)`);
    ann.app.exec(`INSERT INTO plain VALUES ('a', 'bad'); INSERT INTO fussy VALUES ('1', 'x')`);
    bob.app.exec(`INSERT INTO fussy VALUES ('2', 'x')`);
    expect(bob.pullFrom(ann)).to.include({ applied: 0, quarantined: 2 });
    bob.pullFrom(ann);
    ann.pullFrom(bob);
    expect(rows(ann, 'plain')).to.deep.equal([{ id: 'a', body: 'bad' }]);
    expect(rows(ann, 'fussy')).to.deep.equal([{ id: '1', body: 'x' }]);
  });

  it('serves on after a legacy row stood in the way of a change that was held', () => {
    const legacy = `UPDATE _sync_guard SET applying = 1; INSERT INTO users VALUES ('1', 'old', 'legacy'), ('2', 'x', 'legacy');
      UPDATE _sync_guard SET applying = 0;
      CREATE TRIGGER no BEFORE UPDATE ON users BEGIN SELECT RAISE(ABORT, 'not this'); END`;
    const [ann, bob] = pair(legacy);
    ann.app.exec(`INSERT INTO users VALUES ('1', 'new', 'ann')`);
    expect(bob.pullFrom(ann)).to.include({ applied: 0, quarantined: 1 });
    expect(() => bob.page('', 10, null)).not.to.throw();
  });

  it('applies what comes after a change that an app trigger answers with ROLLBACK', () => {
    const [ann, bob] = pair(`CREATE TRIGGER no BEFORE INSERT ON plain WHEN NEW.body = 'bad'
      BEGIN SELECT RAISE(ROLLBACK, 'all of it'); END`);
    ann.app.exec(`INSERT INTO plain VALUES ('a', 'bad'), ('b', 'good')`);
    expect(bob.pullFrom(ann, 10)).to.include({ applied: 1, quarantined: 1 });
    expect(rows(bob, 'plain')).to.deep.equal([{ id: 'b', body: 'good' }]);
  });

  it('applies a swap of unique values, which no order of single rows can, and leaves local columns alone', () => {
    const [ann, bob] = pair(`ALTER TABLE users ADD COLUMN extra`);
    ann.app.exec(`INSERT INTO users VALUES ('1', 'x', NULL), ('2', 'y', NULL)`);
    bob.pullFrom(ann);
    bob.app.exec(
      `UPDATE _sync_guard SET applying = 1; UPDATE users SET extra = 'local' || id; UPDATE _sync_guard SET applying = 0`,
    );
    ann.app.exec(`UPDATE users SET email = 'z' WHERE id = '1'; UPDATE users SET email = 'x' WHERE id = '2';
      UPDATE users SET email = 'y' WHERE id = '1'`);
    bob.pullFrom(ann, 10);
    expect(rows(bob, 'users')).to.deep.equal([
      { id: '1', email: 'y', name: null, extra: 'local1' },
      { id: '2', email: 'x', name: null, extra: 'local2' },
    ]);
    expect(count(bob, '_sync_quarantine')).to.equal(0);
  });

  it('applies a shift of unique values along many rows, over pages of a few', () => {
    const [ann, bob] = pair();
    const insert = ann.app.prepare('INSERT INTO users VALUES (?, ?, NULL)');
    for (let row = 0; row < 40; row += 1) insert.run(String(row).padStart(2, '0'), `mail ${row}`);
    bob.pullFrom(ann, 100);
    ann.app.exec(`UPDATE users SET email = 'to ' || id; UPDATE users SET email = 'mail ' || ((id + 1) % 40)`);
    bob.pullFrom(ann, 7);
    expect(rows(bob, 'users')).to.deep.equal(rows(ann, 'users'));
    expect(count(bob, '_sync_quarantine')).to.equal(0);
  });

  it('applies a shift of more rows than a page holds at once', function () {
    this.timeout(60_000);
    const [ann, bob] = pair();
    ann.app.exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2999)
      INSERT INTO users SELECT printf('%04d', i), printf('%04d', i), NULL FROM n`);
    bob.pullFrom(ann, 1_000);
    ann.app.exec(`UPDATE users SET email = 'to ' || id; UPDATE users SET email = printf('%04d', id + 1)`);
    bob.pullFrom(ann, 1_000);
    expect(rows(bob, 'users')).to.deep.equal(rows(ann, 'users'));
    expect(count(bob, '_sync_quarantine')).to.equal(0);
  });

  it('decides only the clash at the end of a shift', () => {
    const [ann, bob] = pair();
    ann.app.exec(`INSERT INTO users VALUES ('1', 'a', NULL), ('2', 'b', NULL), ('3', 'c', NULL)`);
    bob.pullFrom(ann);
    bob.app.exec(`INSERT INTO users VALUES ('9', 'd', 'bob')`);
    bob.fold();
    ann.app.exec(`UPDATE users SET email = 'to ' || id; UPDATE users SET email = char(97 + id)`);
    ann.app.exec(`UPDATE _sync_changes SET timestamp = timestamp - 60000 WHERE origin IS NULL`);
    bob.pullFrom(ann, 10);
    ann.pullFrom(bob);
    bob.pullFrom(ann);
    for (const replica of [ann, bob]) {
      expect(rows(replica, 'users')).to.deep.equal([
        { id: '1', email: 'b', name: null },
        { id: '2', email: 'c', name: null },
        { id: '9', email: 'd', name: 'bob' },
      ]);
    }
  });

  it('holds a delete whose key has another width, and goes on', () => {
    const [ann, bob] = pair(
      `DROP TABLE plain; CREATE TABLE plain (id TEXT, n INTEGER, body, PRIMARY KEY (id, n))`,
    );
    ann.app.exec(`INSERT INTO plain VALUES ('a', 1); INSERT INTO fussy VALUES ('b', 'x')`);
    bob.pullFrom(ann);
    ann.app.exec(`DELETE FROM plain`);
    expect(bob.pullFrom(ann)).to.include({ quarantined: 1 });
    expect(rows(bob, 'fussy')).to.have.length(1);
  });

  it('decides between two rows with one unique value alike on both sides, and keeps the loser in full', () => {
    const [ann, bob] = pair();
    ann.app.exec(`INSERT INTO users VALUES ('1', 'x', 'ann'), ('3', 'free', 'ann')`);
    ann.fold();
    bob.app.exec(`INSERT INTO users VALUES ('2', 'x', 'bob')`);
    bob.app.exec(`UPDATE _sync_changes SET timestamp = timestamp + 10`);
    expect(bob.pullFrom(ann, 10)).to.include({ conflicts: 1, quarantined: 0 });
    expect(ann.pullFrom(bob, 10)).to.include({ quarantined: 0 });
    bob.pullFrom(ann, 10);
    for (const replica of [ann, bob]) {
      expect(rows(replica, 'users')).to.deep.equal([
        { id: '2', email: 'x', name: 'bob' },
        { id: '3', email: 'free', name: 'ann' },
      ]);
      expect(count(replica, '_sync_quarantine')).to.equal(0);
    }
    const [conflict] = rows(bob, '_sync_conflicts') as { loser: string }[];
    expect(JSON.parse(conflict?.loser ?? '')).to.deep.include({
      record: { id: '1', email: 'x', name: 'ann' },
    });
  });

  it('decides also where the schema would replace the other row by itself', () => {
    const replacing = `DROP TABLE users; CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT UNIQUE ON CONFLICT REPLACE, name TEXT)`;
    const ann = group.add('ann', replacing);
    const bob = group.add('bob', replacing);
    for (const replica of [ann, bob]) replica.recapture();
    ann.app.exec(`INSERT INTO users VALUES ('1', 'x', 'ann')`);
    bob.app.exec(`INSERT INTO users VALUES ('2', 'x', 'bob')`);
    bob.app.exec(`UPDATE _sync_changes SET timestamp = timestamp + 10`);
    for (const [one, other] of [
      [bob, ann],
      [ann, bob],
      [bob, ann],
    ] as const)
      one.pullFrom(other);
    for (const replica of [ann, bob]) {
      expect(rows(replica, 'users')).to.deep.equal([{ id: '2', email: 'x', name: 'bob' }]);
    }
    expect(count(bob, '_sync_conflicts')).to.equal(1);
  });

  it('keeps two keys apart that only the column, not its index, takes for one', () => {
    const cased = `DROP TABLE fussy; CREATE TABLE fussy (id TEXT COLLATE NOCASE NOT NULL, body TEXT);
      CREATE UNIQUE INDEX fussy_id ON fussy (id COLLATE BINARY)`;
    const other = new QuickGroup(cased.replace('DROP TABLE fussy;', ''), [
      tableConfig('fussy', { primaryKey: ['id'] }),
    ]);
    try {
      const [ann, bob] = [other.add('ann'), other.add('bob')];
      ann.app.exec(`INSERT INTO fussy VALUES ('a', 'small'), ('A', 'large')`);
      bob.pullFrom(ann);
      ann.app.exec(`UPDATE fussy SET body = 'larger' WHERE id = 'A' COLLATE BINARY`);
      bob.pullFrom(ann);
      expect(rows(bob, 'fussy')).to.have.deep.members([
        { id: 'a', body: 'small' },
        { id: 'A', body: 'larger' },
      ]);
    } finally {
      other.remove();
    }
  });

  it('moves a unique value from a deleted row to a new one, over pages of one row', () => {
    const [ann, bob] = pair();
    ann.app.exec(`INSERT INTO users VALUES ('2', 'x', NULL)`);
    bob.pullFrom(ann);
    ann.app.exec(`DELETE FROM users; INSERT INTO users VALUES ('1', 'x', NULL)`);
    bob.pullFrom(ann, 1);
    expect(rows(bob, 'users')).to.deep.equal(rows(ann, 'users'));
    expect(count(bob, '_sync_quarantine')).to.equal(0);
  });

  it('follows a key that changes only in letter case', () => {
    const [ann, bob] = pair();
    ann.app.exec(`INSERT INTO fussy VALUES ('abc', 'x')`);
    bob.pullFrom(ann);
    ann.app.exec(`UPDATE fussy SET id = 'ABC'`);
    bob.pullFrom(ann);
    expect(rows(bob, 'fussy')).to.deep.equal([{ id: 'ABC', body: 'x' }]);
  });
});
