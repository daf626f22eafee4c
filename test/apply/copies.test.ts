import { expect } from 'chai';
import { QuickGroup, type QuickReplica } from '../replication/quick-replica.js';
import { bodies, expectQuiet, meet, SCHEMA, tablesWith, writeLater } from './strategy-setup.js';

const LEGACY = `UPDATE _sync_guard SET applying = 1; INSERT INTO words VALUES ('a', 'legacy', 1, NULL);
  UPDATE _sync_guard SET applying = 0; INSERT INTO _sync_changes (table_name, record_id, operation, timestamp)
  VALUES ('words', 'a', 'INSERT', 0)`;

describe('equal rows that several replicas had from before', () => {
  let group: QuickGroup;
  let ann: QuickReplica;
  let bob: QuickReplica;
  let cid: QuickReplica;
  before(() => (group = new QuickGroup(SCHEMA, tablesWith({}))));
  beforeEach(() => {
    [ann, bob, cid] = [group.add('ann', LEGACY), group.add('bob', LEGACY), group.add('cid', LEGACY)];
    for (const replica of [ann, bob, cid]) replica.fold();
    write(ann, `UPDATE words SET body = 'of ann'`);
  });
  afterEach(() => group.clear());
  after(() => group.remove());

  function write(replica: QuickReplica, sql: string): void {
    writeLater(group, replica, sql);
  }

  function openAt(...replicas: QuickReplica[]): number[] {
    return replicas.map((replica) => replica.conflicts().length);
  }

  function resolveAt(replica: QuickReplica): void {
    const [conflict] = replica.conflicts();
    if (conflict === undefined) throw new Error('expected a conflict');
    replica.resolve(conflict.id, conflict.local.won ? 'local' : 'remote');
  }

  it('are one entry where an edit overrules them, whichever way they came', () => {
    ann.pullFrom(bob);
    expect(ann.pullFrom(cid)).to.include({ conflicts: 0 });
    meet(ann, bob, cid);
    expect(openAt(ann, bob, cid)).to.deep.equal([1, 1, 1]);
    const [copy, original] = ann.conflicts(true);
    expect(copy).to.deep.include({ copy_of: original?.id });
    expect(original).to.include({ copy_of: null, settled_ms: null });
    expect(bodies(ann, bob, cid)).to.deep.equal(['of ann', 'of ann', 'of ann']);
  });

  it('are settled together, here and on the replicas that had the copies', () => {
    meet(ann, bob, cid);
    resolveAt(ann);
    meet(ann, bob, cid);
    expect(openAt(ann, bob, cid)).to.deep.equal([0, 0, 0]);
    expectQuiet(ann, bob, cid);
  });

  it('are settled by an edit that has seen any of them', () => {
    ann.pullFrom(bob);
    ann.pullFrom(cid);
    write(cid, `UPDATE words SET body = 'of cid, who knew only his copy'`);
    ann.pullFrom(cid);
    expect(ann.conflicts().map(({ local }) => local.record?.body)).to.deep.equal(['of ann']);
  });

  it('are two entries where their content differs', () => {
    write(cid, `UPDATE words SET count = 2, body = 'else'`);
    write(ann, `UPDATE words SET body = 'of ann, later'`);
    ann.pullFrom(bob);
    ann.pullFrom(cid);
    expect(openAt(ann)).to.deep.equal([2]);
  });

  it('are an entry again when somebody wrote that content anew, knowing what had replaced it', () => {
    meet(ann, bob);
    resolveAt(ann);
    meet(ann, bob, cid);
    write(bob, `UPDATE words SET body = 'legacy'`);
    write(ann, `UPDATE words SET body = 'of ann, who did not know'`);
    ann.pullFrom(bob);
    expect(openAt(ann)).to.deep.equal([1]);
    write(ann, `UPDATE words SET body = 'of ann, who has not looked'`);
    expect(openAt(ann)).to.deep.equal([1]);
  });

  it('let the newer of two versions of one author with one content stand for both', () => {
    ann.pullFrom(bob);
    group.nowMs -= 60_000;
    write(bob, `UPDATE words SET body = 'meanwhile'`);
    write(bob, `UPDATE words SET body = 'legacy'`);
    group.nowMs += 60_000;
    ann.pullFrom(bob);
    const [entry, ...others] = ann.conflicts();
    expect(others).to.deep.equal([]);
    expect(entry?.remote.stamp).to.be.greaterThan(0);
  });

  it('are undecided once under manual, also when they come again', () => {
    const manual = { tables: tablesWith({ conflictResolution: 'manual' }) };
    const dan = group.add('dan', '', manual);
    write(dan, `INSERT INTO words VALUES ('a', 'of dan', 1, NULL)`);
    for (let round = 0; round < 2; round += 1) {
      for (const peer of [bob, cid]) {
        dan.forgetCursorOf(peer);
        dan.pullFrom(peer);
      }
      expect(openAt(dan)).to.deep.equal([1]);
    }
    resolveAt(dan);
    for (const peer of [bob, cid]) {
      dan.forgetCursorOf(peer);
      dan.pullFrom(peer);
    }
    expect(openAt(dan)).to.deep.equal([0]);
  });
});
