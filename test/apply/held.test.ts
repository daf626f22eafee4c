import { expect } from 'chai';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';
import { bodies, meet, SCHEMA, tablesWith, writeLater } from './strategy-setup.js';

/** A replica that refuses some bodies, by a rule that a schema change can drop. */
const PICKY = `CREATE TRIGGER picky BEFORE INSERT ON words WHEN NEW.body LIKE 'bad%'
  BEGIN SELECT RAISE(ABORT, 'not this'); END;
  CREATE TRIGGER picky_too BEFORE UPDATE ON words WHEN NEW.body LIKE 'bad%'
  BEGIN SELECT RAISE(ABORT, 'not this'); END`;
const TOLERANT = 'DROP TRIGGER picky; DROP TRIGGER picky_too';

describe('a change in quarantine', () => {
  let group: QuickGroup;
  let ann: QuickReplica;
  let bob: QuickReplica;
  /** Holds what is bad. */
  let cid: QuickReplica;
  before(() => (group = new QuickGroup(SCHEMA, tablesWith({}))));
  beforeEach(() => {
    ann = group.add('ann');
    bob = group.add('bob');
    cid = group.add('cid', PICKY);
  });
  afterEach(() => group.clear());
  after(() => group.remove());

  function write(replica: QuickReplica, sql: string): void {
    writeLater(group, replica, sql);
  }

  /** The bodies of what is held. */
  function heldBy(replica: QuickReplica): unknown[] {
    return replica.app
      .prepare<[], string>(`SELECT change ->> '$.record.body' FROM _sync_quarantine ORDER BY id`)
      .pluck()
      .all();
  }

  /** The bodies of the losers of open entries, sorted. */
  function overruledAt(replica: QuickReplica): unknown[] {
    return replica
      .conflicts()
      .map(({ local, remote }) => (remote.won ? local : remote).record?.body ?? null)
      .sort();
  }

  it('goes to the ledger in full when a newer version applies that had not seen it', () => {
    write(ann, `INSERT INTO words VALUES ('a', 'bad', 1, NULL)`);
    write(bob, `INSERT INTO words VALUES ('a', 'good', 2, NULL)`);
    expect(cid.pullFrom(ann)).to.include({ quarantined: 1 });
    expect(cid.pullFrom(bob)).to.include({ applied: 1, conflicts: 1 });
    expect(heldBy(cid)).to.deep.equal([]);
    expect(bodies(cid)).to.deep.equal(['good']);
    expect(cid.conflicts()[0]?.remote).to.deep.include({
      won: false,
      record: { id: 'a', body: 'bad', count: 1 },
    });
  });

  it('is forgotten when a version applies that had seen it', () => {
    write(ann, `INSERT INTO words VALUES ('a', 'bad', 1, NULL)`);
    cid.pullFrom(ann);
    write(ann, `UPDATE words SET body = 'good'`);
    cid.pullFrom(ann);
    expect(heldBy(cid)).to.deep.equal([]);
    expect(cid.conflicts(true)).to.deep.equal([]);
  });

  it('stays when an older version applies, and overrules that one once it can', () => {
    write(bob, `INSERT INTO words VALUES ('a', 'good', 2, NULL)`);
    write(ann, `INSERT INTO words VALUES ('a', 'bad', 1, NULL)`);
    cid.pullFrom(ann);
    cid.pullFrom(bob);
    expect([heldBy(cid), bodies(cid), overruledAt(cid)]).to.deep.equal([['bad'], ['good'], []]);
    cid.app.exec(TOLERANT);
    cid.retryHeld();
    expect([heldBy(cid), bodies(cid), overruledAt(cid)]).to.deep.equal([[], ['bad'], ['good']]);
  });

  for (const first of ['older', 'newer'] as const) {
    it(`keeps the newest where two are held, and the other in the ledger: the ${first} one came first`, () => {
      write(ann, `INSERT INTO words VALUES ('a', 'bad, older', 1, NULL)`);
      write(bob, `INSERT INTO words VALUES ('a', 'bad, newer', 2, NULL)`);
      const order = first === 'older' ? [ann, bob] : [bob, ann];
      for (const peer of order) cid.pullFrom(peer);
      expect([heldBy(cid), overruledAt(cid)]).to.deep.equal([['bad, newer'], ['bad, older']]);
      cid.app.exec(TOLERANT);
      cid.retryHeld();
      expect([bodies(cid), overruledAt(cid)]).to.deep.equal([['bad, newer'], ['bad, older']]);
      write(ann, `UPDATE words SET body = 'by the author of the older'`);
      cid.pullFrom(ann);
      expect(overruledAt(cid)).to.deep.equal(['bad, newer']);
    });
  }

  it('makes no entry of two held versions of one history, nor of two with one content', () => {
    write(ann, `INSERT INTO words VALUES ('a', 'bad', 1, NULL)`);
    write(bob, `INSERT INTO words VALUES ('a', 'bad', 1, NULL)`);
    cid.pullFrom(ann);
    cid.pullFrom(bob);
    write(bob, `UPDATE words SET body = 'bad, later'`);
    cid.pullFrom(bob);
    cid.forgetCursorOf(ann);
    cid.forgetCursorOf(bob);
    cid.pullFrom(bob);
    expect([heldBy(cid), overruledAt(cid)]).to.deep.equal([['bad, later'], []]);
  });

  it('loses to an edit that was made here meanwhile, when it is tried again, and is in the ledger', () => {
    write(ann, `INSERT INTO words VALUES ('a', 'good', 1, NULL)`);
    cid.pullFrom(ann);
    write(ann, `UPDATE words SET body = 'bad'`);
    cid.pullFrom(ann);
    write(cid, `UPDATE words SET body = 'of cid'`);
    cid.retryHeld();
    expect([heldBy(cid), bodies(cid), overruledAt(cid)]).to.deep.equal([[], ['of cid'], ['bad']]);
  });

  it('goes to the ledger also where this schema lacks a column of it', () => {
    ann.app.exec('ALTER TABLE words ADD COLUMN extra');
    ann = group.reopen(ann);
    write(ann, `INSERT INTO words VALUES ('a', 'of ann', 1, NULL, 'more')`);
    expect(bob.pullFrom(ann)).to.include({ quarantined: 1 });
    write(bob, `INSERT INTO words VALUES ('a', 'of bob', 1, NULL)`);
    bob.retryHeld();
    expect([heldBy(bob), bodies(bob)]).to.deep.equal([[], ['of bob']]);
    expect(bob.conflicts()[0]?.remote.record).to.deep.equal({
      id: 'a',
      body: 'of ann',
      count: 1,
      extra: 'more',
    });
    write(bob, `UPDATE words SET body = 'of bob, later'`);
    cid.pullFrom(bob);
    bob.forgetCursorOf(ann);
    expect(bob.pullFrom(ann)).to.include({ quarantined: 0 });
  });

  it('stays when its table is no longer configured and something of that table arrives', () => {
    write(ann, `INSERT INTO words VALUES ('a', 'bad', 1, NULL)`);
    cid.pullFrom(ann);
    write(bob, `INSERT INTO words VALUES ('a', 'good', 1, NULL)`);
    const narrower = group.reopen(cid, { tables: [tableConfig('users')] });
    narrower.pullFrom(bob);
    expect(heldBy(narrower)).to.deep.equal(['bad']);
  });

  it('stays under manual when an undecided version arrives, and is undecided too once it is tried again', () => {
    const manual = { tables: tablesWith({ conflictResolution: 'manual' }) };
    const dan = group.add('dan', PICKY, manual);
    write(ann, `INSERT INTO words VALUES ('a', 'start', 1, NULL)`);
    meet(ann, bob);
    dan.pullFrom(ann);
    write(ann, `UPDATE words SET body = 'bad'`);
    dan.pullFrom(ann);
    write(dan, `UPDATE words SET body = 'of dan'`);
    write(bob, `UPDATE words SET body = 'of bob'`);
    dan.pullFrom(bob);
    expect([heldBy(dan), bodies(dan), overruledAt(dan)]).to.deep.equal([['bad'], ['of dan'], ['of bob']]);
    expect(dan.conflicts()[0]).to.include({ decided_by: 'nobody' });
    dan.retryHeld();
    expect(heldBy(dan)).to.deep.equal([]);
    expect(dan.conflicts().map(({ remote }) => remote.record?.body)).to.have.members(['bad', 'of bob']);
  });
});
