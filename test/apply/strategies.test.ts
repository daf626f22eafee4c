import { expect } from 'chai';
import { QuickGroup, type QuickReplica } from '../replication/quick-replica.js';
import { bodies, expectQuiet, meet, SCHEMA, tablesWith, writeLater } from './strategy-setup.js';

describe('strategies', () => {
  let group: QuickGroup;
  before(() => (group = new QuickGroup(SCHEMA, tablesWith({}))));
  afterEach(() => group.clear());
  after(() => group.remove());

  function write(replica: QuickReplica, sql: string): void {
    writeLater(group, replica, sql);
  }

  describe('source_wins', () => {
    const options = { tables: tablesWith({ conflictResolution: 'source_wins', preferredNode: 'ann' }) };

    it('prefers an older edit of the preferred node to a newer one that did not know it', () => {
      const [ann, bob] = [group.add('ann', '', options), group.add('bob', '', options)];
      write(ann, `INSERT INTO words VALUES ('a', 'start', 1, NULL)`);
      meet(ann, bob);
      write(ann, `UPDATE words SET body = 'of ann'`);
      write(bob, `UPDATE words SET body = 'of bob'`);
      meet(ann, bob);
      expect(bodies(ann, bob)).to.deep.equal(['of ann', 'of ann']);
      expect(bob.conflicts()[0]?.local).to.deep.include({
        won: false,
        record: { id: 'a', body: 'of bob', count: 1 },
      });
      expectQuiet(ann, bob);
    });

    it('lets any replica change what the preferred one wrote, once it has seen it', () => {
      const [ann, bob] = [group.add('ann', '', options), group.add('bob', '', options)];
      write(ann, `INSERT INTO words VALUES ('a', 'of ann', 1, NULL)`);
      meet(ann, bob);
      write(bob, `UPDATE words SET body = 'of bob, who knew'`);
      meet(ann, bob);
      expect(bodies(ann, bob)).to.deep.equal(['of bob, who knew', 'of bob, who knew']);
      expect(ann.conflicts(true)).to.have.length(0);
    });

    it('prefers its deletion, and a row of its own that was there before the triggers', () => {
      const [ann, bob] = [group.add('ann', '', options), group.add('bob', '', options)];
      write(ann, `INSERT INTO words VALUES ('a', 'start', 1, NULL)`);
      meet(ann, bob);
      write(ann, `DELETE FROM words`);
      write(bob, `UPDATE words SET body = 'of bob'`);
      meet(ann, bob);
      expect(bodies(ann, bob)).to.deep.equal(['', '']);
      ann.app.exec(`UPDATE _sync_guard SET applying = 1; INSERT INTO words VALUES ('b', 'legacy', 1, NULL);
        UPDATE _sync_guard SET applying = 0`);
      write(bob, `INSERT INTO words VALUES ('b', 'of bob', 1, NULL)`);
      meet(ann, bob);
      expect(bodies(ann, bob)).to.deep.equal(['legacy', 'legacy']);
    });
  });

  describe('manual', () => {
    const options = { tables: tablesWith({ conflictResolution: 'manual' }) };
    let ann: QuickReplica;
    let bob: QuickReplica;
    let cid: QuickReplica;
    beforeEach(() => {
      [ann, bob, cid] = [
        group.add('ann', '', options),
        group.add('bob', '', options),
        group.add('cid', '', options),
      ];
    });

    function disagree(...replicas: QuickReplica[]): void {
      write(ann, `INSERT INTO words VALUES ('a', 'start', 1, NULL)`);
      meet(...replicas);
      for (const one of replicas) write(one, `UPDATE words SET body = 'of ${one.node}'`);
      meet(...replicas);
    }

    function only(replica: QuickReplica) {
      const [conflict, ...more] = replica.conflicts();
      if (conflict === undefined || more.length > 0)
        throw new Error(`expected one conflict, not ${more.length + 1}`);
      return conflict;
    }

    it('leaves each side where it is, the newer one too, and shows both as open', () => {
      disagree(ann, bob);
      expect(bodies(ann, bob)).to.deep.equal(['of ann', 'of bob']);
      for (const [here, there] of [
        [ann, bob],
        [bob, ann],
      ] as const) {
        expect(only(here)).to.deep.include({ decided_by: 'nobody', settled_ms: null });
        expect(only(here).local).to.deep.include({
          won: false,
          record: { id: 'a', body: `of ${here.node}`, count: 1 },
        });
        expect(only(here).remote).to.deep.include({
          won: false,
          record: { id: 'a', body: `of ${there.node}`, count: 1 },
        });
      }
      expectQuiet(ann, bob);
    });

    for (const keep of ['local', 'remote'] as const) {
      it(`ends with one resolution, keeping ${keep}, which wins everywhere`, () => {
        disagree(ann, bob);
        ann.resolve(only(ann).id, keep);
        meet(ann, bob);
        const kept = keep === 'local' ? 'of ann' : 'of bob';
        expect(bodies(ann, bob)).to.deep.equal([kept, kept]);
        expect([...ann.conflicts(), ...bob.conflicts()]).to.have.length(0);
        expectQuiet(ann, bob);
      });
    }

    it('has one entry for the other side, its newest, however often it is written or sent', () => {
      disagree(ann, bob);
      write(bob, `UPDATE words SET body = 'later of bob'`);
      meet(ann, bob);
      expect(only(ann).remote.record).to.deep.include({ body: 'later of bob' });
      ann.forgetCursorOf(bob);
      meet(ann, bob);
      expect(only(ann).remote.record).to.deep.include({ body: 'later of bob' });
      expect(ann.conflicts(true)).to.have.length(2);
    });

    it('keeps an older version of the other side out that comes by a detour', () => {
      write(ann, `INSERT INTO words VALUES ('a', 'of ann', 1, NULL)`);
      write(bob, `INSERT INTO words VALUES ('a', 'of bob', 1, NULL)`);
      cid.pullFrom(bob);
      write(bob, `UPDATE words SET body = 'later of bob'`);
      ann.pullFrom(bob);
      ann.pullFrom(cid);
      expect(only(ann).remote.record).to.deep.include({ body: 'later of bob' });
    });

    it('stays open through later edits here, which count as the local side', () => {
      disagree(ann, bob);
      write(ann, `UPDATE words SET body = 'later of ann'`);
      meet(ann, bob);
      expect(bodies(ann, bob)).to.deep.equal(['later of ann', 'of bob']);
      ann.resolve(only(ann).id, 'local');
      meet(ann, bob);
      expect(bodies(ann, bob)).to.deep.equal(['later of ann', 'later of ann']);
    });

    it('applies what has seen the side that is here, and settles the entry', () => {
      disagree(ann, bob);
      cid.pullFrom(bob);
      write(cid, `UPDATE words SET body = 'of cid, after bob'`);
      bob.pullFrom(cid);
      expect(bodies(bob)).to.deep.equal(['of cid, after bob']);
      expect(only(bob).remote.record).to.deep.include({ body: 'of ann' });
      bob.resolve(only(bob).id, 'local');
      meet(ann, bob, cid);
      expect(bodies(ann, bob, cid)).to.deep.equal(Array(3).fill('of cid, after bob'));
      expect([ann, bob, cid].flatMap((one) => one.conflicts())).to.have.length(0);
    });

    it('holds three sides apart, and ends when each is decided', () => {
      disagree(ann, bob, cid);
      expect(bodies(ann, bob, cid)).to.deep.equal(['of ann', 'of bob', 'of cid']);
      expect(ann.conflicts()).to.have.length(2);
      for (const { id } of ann.conflicts()) ann.resolve(id, 'local');
      meet(ann, bob, cid);
      expect(bodies(ann, bob, cid)).to.deep.equal(Array(3).fill('of ann'));
      expect([ann, bob, cid].flatMap((one) => one.conflicts())).to.have.length(0);
    });

    it('makes one new conflict where two people resolve at once, and no more after that', () => {
      disagree(ann, bob);
      ann.resolve(only(ann).id, 'local');
      bob.resolve(only(bob).id, 'local');
      meet(ann, bob);
      expect(bodies(ann, bob)).to.deep.equal(['of ann', 'of bob']);
      expectQuiet(ann, bob);
      ann.resolve(only(ann).id, 'remote');
      meet(ann, bob);
      expect(bodies(ann, bob)).to.deep.equal(['of bob', 'of bob']);
      expect([...ann.conflicts(), ...bob.conflicts()]).to.have.length(0);
    });

    it('holds a deletion and an edit apart', () => {
      write(ann, `INSERT INTO words VALUES ('a', 'start', 1, NULL)`);
      meet(ann, bob);
      write(ann, `DELETE FROM words`);
      write(bob, `UPDATE words SET body = 'of bob'`);
      meet(ann, bob);
      expect(bodies(ann, bob)).to.deep.equal(['', 'of bob']);
      expect(only(bob).remote.record).to.equal(null);
      bob.resolve(only(bob).id, 'remote');
      meet(ann, bob);
      expect(bodies(ann, bob)).to.deep.equal(['', '']);
    });

    it('merges equal content without a word', () => {
      write(ann, `INSERT INTO words VALUES ('a', 'same', 1, NULL)`);
      write(bob, `INSERT INTO words VALUES ('a', 'same', 1, NULL)`);
      meet(ann, bob);
      expect([...ann.conflicts(true), ...bob.conflicts(true)]).to.have.length(0);
    });

    it('decides between two rows with one unique value by version all the same', () => {
      write(ann, `INSERT INTO users VALUES ('1', 'x')`);
      write(bob, `INSERT INTO users VALUES ('2', 'x')`);
      meet(ann, bob);
      for (const one of [ann, bob])
        expect(one.app.prepare('SELECT id FROM users').pluck().all()).to.deep.equal(['2']);
    });
  });
});
