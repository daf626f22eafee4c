import { expect } from 'chai';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';
import { thrownBy } from '../thrown.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, body);
  CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT UNIQUE);
`;

describe('the ledger of conflicts', () => {
  let group: QuickGroup;
  let ann: QuickReplica;
  let bob: QuickReplica;
  before(() => (group = new QuickGroup(SCHEMA, [tableConfig('words'), tableConfig('users')])));
  beforeEach(() => {
    ann = group.add('ann');
    bob = group.add('bob');
  });
  afterEach(() => group.clear());
  after(() => group.remove());

  /** Writes, and folds at once, a moment after whatever was written before. */
  function write(replica: QuickReplica, sql: string): void {
    group.nowMs += 10;
    replica.app.exec(sql);
    replica.app.exec(`UPDATE _sync_changes SET timestamp = ${group.nowMs} WHERE origin IS NULL`);
    replica.fold();
  }

  /** Both pull from each other until nothing is left to say. */
  function meet(...replicas: QuickReplica[]): void {
    for (let round = 0; round < 3; round += 1) {
      for (const one of replicas) for (const other of replicas) if (one !== other) one.pullFrom(other);
    }
  }

  /** Two edits that did not know each other; that of bob wins. */
  function disagree(): void {
    write(ann, `INSERT INTO words VALUES ('a', 'start')`);
    meet(ann, bob);
    write(ann, `UPDATE words SET body = 'of ann'`);
    write(bob, `UPDATE words SET body = 'of bob'`);
    bob.pullFrom(ann);
    meet(ann, bob);
  }

  function words(replica: QuickReplica): unknown[] {
    return replica.app.prepare('SELECT body FROM words ORDER BY id').pluck().all();
  }

  function only(replica: QuickReplica) {
    const [conflict, ...more] = replica.conflicts();
    if (conflict === undefined || more.length > 0) throw new Error('expected one conflict');
    return conflict;
  }

  it('says which side was here when the two met', () => {
    disagree();
    expect(only(ann)).to.deep.include({ table: 'words', key: ['a'], kind: 'row', settled_ms: null });
    expect(only(ann).local).to.deep.include({ won: false, record: { id: 'a', body: 'of ann' } });
    expect(only(ann).remote).to.deep.include({ won: true, record: { id: 'a', body: 'of bob' } });
    expect(only(bob).local).to.deep.include({ won: true, record: { id: 'a', body: 'of bob' } });
    expect(only(bob).remote).to.deep.include({ won: false, record: { id: 'a', body: 'of ann' } });
  });

  it('settles an entry once an edit comes that has seen the loser, and keeps it for --all', () => {
    disagree();
    write(bob, `UPDATE words SET body = 'later, of bob'`);
    meet(ann, bob);
    // Its author knew the winner alone.
    expect([ann, bob].map((replica) => replica.conflicts().length)).to.deep.equal([1, 1]);
    write(ann, `UPDATE words SET body = 'by the author of the loser'`);
    expect(ann.conflicts()).to.deep.equal([]);
    bob.pullFrom(ann);
    expect(bob.conflicts()).to.deep.equal([]);
    for (const replica of [ann, bob]) {
      expect(replica.conflicts(true)).to.have.length(1);
      expect(replica.conflicts(true)[0]?.settled_ms).to.equal(group.nowMs);
    }
  });

  for (const keep of ['local', 'remote'] as const) {
    it(`resolves by keeping ${keep}, which settles the entry on the other replica too`, () => {
      disagree();
      ann.resolve(only(ann).id, keep);
      const kept = keep === 'local' ? 'of ann' : 'of bob';
      expect(words(ann)).to.deep.equal([kept]);
      meet(ann, bob);
      expect([words(ann), words(bob)]).to.deep.equal([[kept], [kept]]);
      expect([ann.conflicts(), bob.conflicts()]).to.deep.equal([[], []]);
      expect(bob.pullFrom(ann)).to.include({ received: 0, conflicts: 0 });
    });
  }

  it('makes no entry of a resolution on a third replica that had the loser alone', () => {
    const cid = group.add('cid');
    disagree();
    ann.resolve(only(ann).id, 'local');
    meet(ann, bob, cid);
    expect([ann, bob, cid].map(words)).to.deep.equal([['of ann'], ['of ann'], ['of ann']]);
    expect(cid.conflicts(true)).to.deep.equal([]);
  });

  it('deletes the row where a kept side is a deletion, and brings it back where it is not', () => {
    write(ann, `INSERT INTO words VALUES ('a', 'start')`);
    meet(ann, bob);
    write(ann, `DELETE FROM words`);
    write(bob, `UPDATE words SET body = 'of bob'`);
    meet(ann, bob);
    expect(words(ann)).to.deep.equal(['of bob']);
    ann.resolve(only(ann).id, 'local');
    meet(ann, bob);
    expect([words(ann), words(bob)]).to.deep.equal([[], []]);
    expect([ann.conflicts(), bob.conflicts()]).to.deep.equal([[], []]);
  });

  it('converges where both sides resolve differently at once, with one new conflict at most', () => {
    disagree();
    ann.resolve(only(ann).id, 'local');
    group.nowMs += 10;
    bob.resolve(only(bob).id, 'local');
    bob.pullFrom(ann);
    meet(ann, bob);
    expect(words(ann)).to.deep.equal(words(bob));
    for (const replica of [ann, bob]) {
      expect(replica.conflicts(true)).to.have.length(2);
      expect(replica.conflicts()).to.have.length(1);
    }
    ann.resolve(only(ann).id, 'local');
    meet(ann, bob);
    expect([words(ann), words(bob)]).to.deep.equal([['of ann'], ['of ann']]);
    expect([ann.conflicts(), bob.conflicts()]).to.deep.equal([[], []]);
  });

  it('adds no conflict where both sides resolve alike at once', () => {
    disagree();
    ann.resolve(only(ann).id, 'local');
    bob.resolve(only(bob).id, 'remote');
    meet(ann, bob);
    for (const replica of [ann, bob]) {
      expect(replica.conflicts(true)).to.have.length(1);
      expect(replica.conflicts()).to.deep.equal([]);
      expect(words(replica)).to.deep.equal(['of ann']);
    }
  });

  it('refuses to overwrite a row that was changed since, until it is told to', () => {
    disagree();
    write(bob, `UPDATE words SET body = 'later'`);
    const { id } = only(bob);
    expect(thrownBy(() => bob.resolve(id, 'remote')).code).to.equal('conflict_outdated');
    expect(words(bob)).to.deep.equal(['later']);
    bob.resolve(id, 'remote', true);
    expect(words(bob)).to.deep.equal(['of ann']);
    expect(thrownBy(() => bob.resolve(id, 'remote')).code).to.equal('conflict_settled');
    expect(thrownBy(() => bob.resolve(99, 'remote')).code).to.equal('conflict_unknown');
  });

  describe('of a unique value that two rows claimed', () => {
    beforeEach(() => {
      write(ann, `INSERT INTO users VALUES ('1', 'x')`);
      write(bob, `INSERT INTO users VALUES ('2', 'x')`);
      meet(ann, bob);
    });

    function users(replica: QuickReplica): unknown[] {
      return replica.app.prepare(`SELECT id || ' ' || email FROM users ORDER BY id`).pluck().all();
    }

    function entry(): [QuickReplica, number] {
      const [replica] = [ann, bob].filter((each) => each.conflicts().length > 0);
      if (replica === undefined) throw new Error('expected a conflict');
      return [replica, only(replica).id];
    }

    it('stays open when the tombstone of the loser arrives', () => {
      const [replica] = entry();
      expect(users(replica)).to.deep.equal(['2 x']);
      const conflict = only(replica);
      expect(conflict).to.include({ kind: 'unique' });
      expect([conflict.local, conflict.remote].find(({ won }) => won)?.key).to.deep.equal(['2']);
    });

    it('brings the loser back only where its value is free, and changes nothing otherwise', () => {
      const [replica, id] = entry();
      const loser = only(replica).local.won ? 'remote' : 'local';
      expect(thrownBy(() => replica.resolve(id, loser)).code).to.equal('resolution_refused');
      expect(users(replica)).to.deep.equal(['2 x']);
      expect(replica.conflicts()).to.have.length(1);
      write(replica, `UPDATE users SET email = 'y' WHERE id = '2'`);
      replica.resolve(id, loser);
      meet(ann, bob);
      expect([users(ann), users(bob)]).to.deep.equal([
        ['1 x', '2 y'],
        ['1 x', '2 y'],
      ]);
      expect([ann.conflicts(), bob.conflicts()]).to.deep.equal([[], []]);
    });

    it('leaves the loser deleted where the winner is kept', () => {
      const [replica, id] = entry();
      replica.resolve(id, only(replica).local.won ? 'local' : 'remote');
      meet(ann, bob);
      expect([users(ann), users(bob)]).to.deep.equal([['2 x'], ['2 x']]);
      expect([ann.conflicts(), bob.conflicts()]).to.deep.equal([[], []]);
    });
  });

  describe('of a table that itself replaces or ignores rows', () => {
    function replicasOf(rule: string): [QuickReplica, QuickReplica] {
      const own = `DROP TABLE users; CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT UNIQUE ON CONFLICT ${rule})`;
      const replicas: [QuickReplica, QuickReplica] = [group.add('dan', own), group.add('eva', own)];
      for (const replica of replicas) replica.recapture();
      return replicas;
    }

    function users(replica: QuickReplica): unknown[] {
      return replica.app.prepare(`SELECT id || ' ' || email FROM users ORDER BY id`).pluck().all();
    }

    for (const rule of ['REPLACE', 'IGNORE'] as const) {
      it(`refuses a side whose value another row has by now, under ON CONFLICT ${rule}`, () => {
        const [dan, eva] = replicasOf(rule);
        write(dan, `INSERT INTO users VALUES ('1', 'x'), ('2', 'y')`);
        meet(dan, eva);
        write(dan, `UPDATE users SET email = 'z' WHERE id = '1'`);
        write(eva, `UPDATE users SET email = 'w' WHERE id = '1'`);
        meet(dan, eva);
        write(dan, `UPDATE users SET email = 'z' WHERE id = '2'`);
        expect(users(dan)).to.deep.equal(['1 w', '2 z']);
        expect(thrownBy(() => dan.resolve(only(dan).id, 'local')).code).to.equal('resolution_refused');
        expect(users(dan)).to.deep.equal(['1 w', '2 z']);
        expect(dan.conflicts()).to.have.length(1);
        write(dan, `UPDATE users SET email = 'y' WHERE id = '2'`);
        dan.resolve(only(dan).id, 'local');
        expect(users(dan)).to.deep.equal(['1 z', '2 y']);
      });
    }
  });

  it('is left alone by linear histories, also through a third replica', () => {
    const cid = group.add('cid');
    const turns = [ann, bob, cid];
    write(ann, `INSERT INTO words VALUES ('a', 0)`);
    for (let turn = 1; turn < 12; turn += 1) {
      const [one, two] = [turns[turn % 3] ?? ann, turns[(turn * 2) % 3] ?? bob];
      const last = turns[(turn + 2) % 3] ?? ann;
      one.pullFrom(last);
      write(one, turn % 4 === 0 ? `DELETE FROM words` : `INSERT OR REPLACE INTO words VALUES ('a', ${turn})`);
      two.pullFrom(one);
    }
    meet(...turns);
    expect(turns.map((replica) => replica.conflicts(true))).to.deep.equal([[], [], []]);
    expect(words(ann)).to.deep.equal(words(cid));
  });
});
