import { expect } from 'chai';
import { QuickGroup, tableConfig, type PullCounts, type QuickReplica } from '../replication/quick-replica.js';
import { meet, writeLater } from './strategy-setup.js';

const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT)';

describe('what a page only names', () => {
  let group: QuickGroup;
  let ann: QuickReplica;
  let bob: QuickReplica;
  let cid: QuickReplica;
  before(() => (group = new QuickGroup(SCHEMA, [tableConfig('words')])));
  afterEach(() => group.clear());
  after(() => group.remove());

  /** `bobs` is SQL that the database of bob alone has seen. */
  function begin(bobs = '', manual = false): void {
    const tables = [tableConfig('words', manual ? { conflictResolution: 'manual' } : {})];
    [ann, bob, cid] = [group.add('ann'), group.add('bob', bobs, { tables }), group.add('cid')];
    meet(ann, bob, cid);
  }

  /** bob pulls from ann, and then from cid, who has the same from ann. */
  function hearFromBoth(): PullCounts {
    bob.pullFrom(ann);
    cid.pullFrom(ann);
    return bob.pullFrom(cid);
  }

  it('is enough where it is here', () => {
    begin();
    writeLater(group, ann, `INSERT INTO words VALUES ('a', 'one'), ('b', 'two')`);
    writeLater(group, ann, `DELETE FROM words WHERE id = 'b'`);
    expect(hearFromBoth()).to.include({ named: 2, received: 0 });
  });

  it('is enough where a later version took its place', () => {
    begin();
    writeLater(group, ann, `INSERT INTO words VALUES ('a', 'one')`);
    bob.pullFrom(ann);
    cid.pullFrom(ann);
    writeLater(group, bob, `UPDATE words SET english = 'two'`);
    expect(bob.pullFrom(cid)).to.include({ named: 1, received: 0 });
  });

  it('is enough where the same content is here under a greater version', () => {
    begin();
    writeLater(group, ann, `INSERT INTO words VALUES ('a', 'one')`);
    writeLater(group, bob, `INSERT INTO words VALUES ('a', 'one')`);
    expect(hearFromBoth()).to.include({ named: 1, received: 0 });
  });

  it('is enough where it was overruled and is in the ledger', () => {
    begin();
    writeLater(group, ann, `INSERT INTO words VALUES ('a', 'one')`);
    writeLater(group, bob, `INSERT INTO words VALUES ('a', 'two')`);
    expect(hearFromBoth()).to.include({ named: 1, received: 0 });
    expect(bob.conflicts(true)).to.have.length(1);
  });

  it('is enough where a person is to decide about it', () => {
    begin('', true);
    writeLater(group, bob, `INSERT INTO words VALUES ('a', 'two')`);
    writeLater(group, ann, `INSERT INTO words VALUES ('a', 'one')`);
    expect(hearFromBoth()).to.include({ named: 1, received: 0 });
    expect(bob.conflicts()).to.have.length(1);
  });

  it('is enough where it is in quarantine', () => {
    begin(
      `CREATE TRIGGER no_b BEFORE INSERT ON words WHEN NEW.id = 'b' BEGIN SELECT RAISE(ABORT, 'no b'); END`,
    );
    writeLater(group, ann, `INSERT INTO words VALUES ('a', 'one'), ('b', 'two')`);
    expect(hearFromBoth()).to.include({ named: 2, received: 0 });
  });

  it('is enough where its deletion was pruned', () => {
    begin();
    writeLater(group, ann, `INSERT INTO words VALUES ('a', 'one'), ('b', 'two')`);
    meet(ann, bob, cid);
    writeLater(group, ann, `DELETE FROM words WHERE id = 'a'`);
    for (const [puller, peer] of [
      [bob, ann],
      [cid, bob],
      [bob, cid],
      [ann, bob],
      [bob, ann],
    ] as const)
      puller.pullFrom(peer);
    expect(bob.prune()).to.equal(1);
    bob.pullFrom(cid);
    bob.pullFrom(ann);
    expect(bob.app.prepare('SELECT count(*) FROM _sync_changes').pluck().get()).to.equal(1);
  });

  it('comes with its row where it is not here, whatever was claimed', () => {
    begin();
    const backup = group.newFile();
    ann.copyTo(backup);
    writeLater(group, ann, `INSERT INTO words VALUES ('lost', 'one'), ('lost too', 'two')`);
    bob.pullFrom(ann);
    const restored = group.restoreDisk(ann, backup);
    writeLater(group, restored, `INSERT INTO words VALUES ('written afterwards', 'one')`);
    cid.pullFrom(restored);
    expect(bob.pullFrom(cid)).to.include({ named: 0, received: 1, applied: 1 });
  });
});
