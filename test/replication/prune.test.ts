import { expect } from 'chai';
import { QuickGroup, tableConfig, type QuickReplica } from './quick-replica.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER);
  CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT);
`;
const TABLES = [tableConfig('words', { timestampColumn: 'updated_at' }), tableConfig('notes')];

describe('pruning', () => {
  let group: QuickGroup;
  let ann: QuickReplica;
  let bob: QuickReplica;
  let cid: QuickReplica;
  let dan: QuickReplica;
  before(() => (group = new QuickGroup(SCHEMA, TABLES)));
  beforeEach(() => {
    [ann, bob, cid, dan] = ['ann', 'bob', 'cid', 'dan'].map((node) => group.add(node)) as [
      QuickReplica,
      QuickReplica,
      QuickReplica,
      QuickReplica,
    ];
  });
  afterEach(() => group.clear());
  after(() => group.remove());

  function tombstones(replica: QuickReplica): unknown {
    return replica.app
      .prepare('SELECT count(*) FROM _sync_changes WHERE origin IS NOT NULL AND fingerprint IS NULL')
      .pluck()
      .get();
  }

  function words(replica: QuickReplica): unknown {
    return replica.app.prepare('SELECT id FROM words ORDER BY id').pluck().all();
  }

  function add(replica: QuickReplica, id: string, at = group.nowMs): void {
    replica.app.prepare('INSERT INTO words VALUES (?, ?, ?)').run(id, replica.node, BigInt(at));
  }

  function remove(replica: QuickReplica, id: string): void {
    replica.app.prepare('DELETE FROM words WHERE id = ?').run(id);
  }

  /** The chain ann - bob - cid - dan, once in each direction. */
  function down(): void {
    bob.pullFrom(ann);
    cid.pullFrom(bob);
    dan.pullFrom(cid);
  }
  function up(): void {
    cid.pullFrom(dan);
    bob.pullFrom(cid);
    ann.pullFrom(bob);
  }

  function everyoneMeets(...replicas: readonly QuickReplica[]): void {
    for (let round = 0; round < 3; round += 1) {
      for (const replica of replicas) {
        for (const peer of replicas) if (peer !== replica) replica.pullFrom(peer);
      }
    }
  }

  /** A replica whose application refuses the deletion of a row that it shares with ann, so that the tombstone is held. */
  function strictReplica(): QuickReplica {
    const strict = group.add(
      'strict',
      `CREATE TRIGGER keep BEFORE DELETE ON words WHEN OLD.id = 'w' BEGIN SELECT RAISE(ABORT, 'kept'); END`,
    );
    add(ann, 'w');
    everyoneMeets(ann, strict);
    remove(ann, 'w');
    everyoneMeets(ann, strict);
    return strict;
  }

  it('waits in a chain until the replica at its other end has the deletion', () => {
    add(ann, 'w');
    add(ann, 'stays');
    down();
    up();
    down();
    remove(ann, 'w');
    ann.fold();
    bob.pullFrom(ann);
    ann.pullFrom(bob);
    expect(ann.prune()).to.equal(0);
    cid.pullFrom(bob);
    bob.pullFrom(cid);
    ann.pullFrom(bob);
    expect(ann.prune()).to.equal(0);
    dan.pullFrom(cid);
    expect(ann.prune()).to.equal(0);
    up();
    expect(ann.prune()).to.equal(1);
    expect(tombstones(ann)).to.equal(0);
    for (const replica of [ann, bob, cid, dan]) expect(words(replica)).to.deep.equal(['stays']);
  });

  it('waits for whoever holds a change in quarantine, and says so', () => {
    const strict = strictReplica();
    expect(ann.prune()).to.equal(0);
    expect(ann.blocks()).to.deep.equal({ strict: 'holds 1 changes in quarantine, or dropped them' });
    strict.app.exec('DROP TRIGGER keep');
    strict.retryHeld();
    everyoneMeets(ann, strict);
    expect(ann.prune()).to.equal(1);
    expect(words(strict)).to.deep.equal([]);
  });

  it('leaves a row deleted that is written anew afterwards nowhere in doubt', () => {
    add(ann, 'w', group.nowMs);
    everyoneMeets(ann, bob);
    remove(ann, 'w');
    everyoneMeets(ann, bob);
    expect(ann.prune()).to.equal(1);
    add(ann, 'w', 1_000);
    bob.pullFrom(ann);
    expect(words(bob)).to.deep.equal(['w']);
    ann.pullFrom(bob);
    expect(words(ann)).to.deep.equal(['w']);
  });

  it('is complete: a cursor from before starts over, unless its replica has claimed what went', () => {
    add(ann, 'a');
    everyoneMeets(ann, bob);
    remove(ann, 'a');
    everyoneMeets(ann, bob);
    add(ann, 'b');
    const [old] = ann.app.prepare(`SELECT cursor FROM _sync_peers WHERE name = 'bob'`).pluck().all();
    expect(ann.prune()).to.equal(1);
    expect(old).to.be.a('string');
    const first = ann.app.prepare('SELECT mark FROM _sync_marks ORDER BY log_id LIMIT 1').pluck().get();
    const [, epoch] = ann.origin.split('@');
    const stale = `${epoch}.0.${String(first)}`;
    expect(() => ann.page(stale, 10, null)).to.throw('older than what was pruned');
    expect(bob.pullFrom(ann).received).to.equal(1);
    expect(cid.pullFrom(ann).received).to.equal(1);
  });

  it('takes back nothing that a forgotten replica still has when it returns', () => {
    add(cid, 'w');
    add(ann, 'edited');
    everyoneMeets(ann, bob, cid);
    remove(ann, 'w');
    everyoneMeets(ann, bob);
    expect(ann.prune()).to.equal(0);
    group.nowMs += 60_000;
    ann.forget('cid');
    everyoneMeets(ann, bob);
    expect([ann.prune(), bob.prune()]).to.deep.equal([1, 1]);
    group.nowMs += 60_000;
    cid.app
      .prepare('UPDATE words SET english = ?, updated_at = ? WHERE id = ?')
      .run('new', BigInt(group.nowMs), 'edited');
    add(cid, 'new here', 5);
    everyoneMeets(ann, bob, cid);
    for (const replica of [ann, bob]) {
      expect(words(replica), replica.node).to.deep.equal(['edited']);
      expect(held(replica), replica.node).to.deep.equal(['new here', 'w']);
    }
    expect(ann.blocks()).to.have.property('cid').that.is.null;
    expect(ann.members().get('cid'))
      .to.include({ held: 0 })
      .and.to.have.property('forgotten_ms')
      .that.is.a('number');
  });

  function held(replica: QuickReplica): unknown {
    return replica.app
      .prepare(
        `SELECT json_extract(record_key, '$[0]') FROM _sync_quarantine WHERE reason LIKE 'older than%' ORDER BY 1`,
      )
      .pluck()
      .all();
  }

  it('lets a person bring back what a returning replica had', () => {
    add(cid, 'w');
    everyoneMeets(ann, bob, cid);
    remove(ann, 'w');
    everyoneMeets(ann, bob);
    group.nowMs += 60_000;
    ann.forget('cid');
    everyoneMeets(ann, bob);
    ann.prune();
    bob.prune();
    everyoneMeets(ann, cid);
    expect(words(ann)).to.deep.equal([]);
    ann.retryHeld();
    expect(words(ann)).to.deep.equal(['w']);
    bob.pullFrom(ann);
    expect(words(bob)).to.deep.equal(['w']);
  });

  it('lets a person bring back a row everywhere, also on the replica that wrote it', () => {
    add(bob, 'w');
    everyoneMeets(ann, bob, cid);
    remove(ann, 'w');
    everyoneMeets(ann, bob);
    group.nowMs += 60_000;
    ann.forget('cid');
    everyoneMeets(ann, bob);
    expect([ann.prune(), bob.prune()]).to.deep.equal([1, 1]);
    everyoneMeets(ann, cid);
    ann.retryHeld();
    everyoneMeets(ann, bob, cid);
    for (const replica of [ann, bob, cid]) expect(words(replica), replica.node).to.deep.equal(['w']);
  });

  it('takes what a replica writes that was restored long ago, although something newer was pruned', () => {
    add(ann, 'w');
    everyoneMeets(ann, bob);
    const file = group.newFile();
    bob.copyTo(file);
    const moved = group.openCopy('bob', file);
    everyoneMeets(ann, moved);
    group.nowMs += 60_000;
    add(moved, 'new');
    moved.fold();
    group.nowMs += 60_000;
    remove(ann, 'w');
    ann.app.prepare('UPDATE _sync_changes SET timestamp = ? WHERE origin IS NULL').run(BigInt(group.nowMs));
    ann.fold();
    moved.pullFrom(ann);
    moved.pullFrom(ann);
    expect(ann.prune()).to.equal(1);
    ann.pullFrom(moved);
    expect([words(ann), held(ann)]).to.deep.equal([['new'], []]);
  });

  it('takes back nothing from a copy of a file from before the deletion', () => {
    add(bob, 'w');
    everyoneMeets(ann, bob);
    const backup = group.newFile();
    bob.copyTo(backup);
    remove(ann, 'w');
    everyoneMeets(ann, bob);
    expect([ann.prune(), bob.prune()]).to.deep.equal([1, 1]);
    const copy = group.openCopy('copy', backup);
    add(copy, 'new', group.nowMs + 1_000);
    everyoneMeets(ann, copy);
    expect(words(ann)).to.deep.equal(['new']);
    expect(held(ann)).to.deep.equal(['w']);
  });

  it('takes back nothing that a fresh replica has from a copy', () => {
    // The copy has rows of an author that nobody claims to have: its instance is no more.
    add(dan, 'w');
    const old = group.newFile();
    dan.copyTo(old);
    everyoneMeets(ann, bob, dan);
    const backup = group.newFile();
    bob.copyTo(backup);
    remove(ann, 'w');
    everyoneMeets(ann, bob, dan);
    everyoneMeets(ann, bob, group.openCopy('dan', old));
    expect([ann.prune(), bob.prune()]).to.deep.equal([1, 1]);
    cid.pullFrom(group.openCopy('copy', backup));
    expect(words(cid)).to.deep.equal(['w']);
    everyoneMeets(ann, cid);
    expect(words(ann)).to.deep.equal([]);
    expect(held(ann)).to.deep.equal(['w']);
  });

  describe('when a fresh replica passes on what a forgotten one still has', () => {
    beforeEach(() => {
      add(bob, 'v');
      add(ann, 'w');
      everyoneMeets(ann, bob, dan);
      remove(ann, 'v');
      remove(ann, 'w');
      everyoneMeets(ann, bob);
      group.nowMs += 60_000;
      ann.forget('dan');
      everyoneMeets(ann, bob);
      expect([ann.prune(), bob.prune()]).to.deep.equal([2, 2]);
    });

    function renewed(replica: QuickReplica): QuickReplica {
      const file = group.newFile();
      replica.copyTo(file);
      return group.openCopy(replica.node, file);
    }

    it('takes back nothing, although neither of the two knows that it was forgotten', () => {
      cid.pullFrom(dan);
      expect(words(cid)).to.deep.equal(['v', 'w']);
      everyoneMeets(ann, bob, cid);
      for (const replica of [ann, bob]) expect(words(replica), replica.node).to.deep.equal([]);
      // What a replica wrote itself comes as its name first, and is missed here.
      for (const replica of [ann, bob]) expect(held(replica), replica.node).to.have.members(['v', 'w']);
    });

    it('takes back nothing, although its author is another instance by now', () => {
      everyoneMeets(ann, renewed(bob));
      cid.pullFrom(dan);
      everyoneMeets(ann, cid);
      expect(words(ann)).to.deep.equal([]);
      expect(held(ann)).to.have.members(['v', 'w']);
    });

    it('takes back nothing, although this replica is another instance by now', () => {
      const now = renewed(ann);
      everyoneMeets(now, bob);
      cid.pullFrom(dan);
      everyoneMeets(now, cid);
      expect([words(now), held(now)]).to.deep.equal([[], ['v', 'w']]);
    });

    it('takes back nothing, although this replica has other tables by now', () => {
      const now = group.reopen(ann, { tables: TABLES.slice(0, 1) });
      cid.pullFrom(dan);
      now.pullFrom(cid);
      expect(words(now)).to.deep.equal([]);
    });
  });

  it('accepts a fresh replica with rows of its own that joins late', () => {
    add(ann, 'w');
    everyoneMeets(ann, bob);
    remove(ann, 'w');
    everyoneMeets(ann, bob);
    ann.prune();
    bob.prune();
    add(cid, 'old word', 1_000);
    everyoneMeets(ann, bob, cid);
    for (const replica of [ann, bob, cid]) expect(words(replica)).to.deep.equal(['old word']);
  });

  it('lets a fresh replica join over many pages, and one that compares everything again', () => {
    for (let number = 0; number < 20; number += 1) add(ann, `word ${String(number).padStart(2, '0')}`);
    everyoneMeets(ann, bob);
    remove(ann, 'word 07');
    everyoneMeets(ann, bob);
    expect(ann.prune()).to.equal(1);
    cid.pullFrom(ann, 3);
    expect(words(cid)).to.deep.equal(words(ann));
    bob.forgetCursorOf(ann);
    bob.pullFrom(ann, 3);
    expect(words(bob)).to.deep.equal(words(ann));
  });

  it('waits for whoever dropped a deletion from its quarantine, until it has compared everything', () => {
    const strict = strictReplica();
    strict.drop(1);
    everyoneMeets(ann, strict);
    expect(ann.prune()).to.equal(0);
    strict.app.exec('DROP TRIGGER keep');
    strict.forgetCursorOf(ann);
    everyoneMeets(ann, strict);
    expect(words(strict)).to.deep.equal([]);
    expect(ann.prune()).to.equal(1);
  });

  it('loses no deletion to an old row that comes where the tombstone is gone, while another replica has it', () => {
    add(ann, 'w', 1_000);
    everyoneMeets(ann, bob);
    remove(ann, 'w');
    everyoneMeets(ann, bob);
    expect(ann.prune()).to.equal(1);
    add(cid, 'w', 1_000);
    everyoneMeets(ann, bob, cid);
    everyoneMeets(ann, bob, cid);
    for (const replica of [ann, bob, cid]) expect(words(replica), replica.node).to.deep.equal([]);
  });
});
