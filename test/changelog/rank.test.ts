import { expect } from 'chai';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';

interface Ranked {
  rank: number | null;
  stamp: number;
  floor: number | null;
}

describe('the rank of a version', () => {
  let group: QuickGroup;
  before(
    () =>
      (group = new QuickGroup('CREATE TABLE words (id TEXT PRIMARY KEY, body, at INTEGER)', [
        tableConfig('words', { timestampColumn: 'at', timestampFormat: 'unix_ms' }),
      ])),
  );
  afterEach(() => group.clear());
  after(() => group.remove());

  function write(replica: QuickReplica, body: string, at = 2_000): void {
    replica.app.prepare(`INSERT OR REPLACE INTO words VALUES ('a', ?, ?)`).run(body, at);
    replica.fold();
  }

  function rankOf(replica: QuickReplica): Ranked | undefined {
    return replica.app
      .prepare<[], Ranked>(
        'SELECT rank, timestamp AS stamp, floor FROM _sync_changes WHERE origin IS NOT NULL',
      )
      .get();
  }

  function setRank(replica: QuickReplica, rank: number, stamp: number): void {
    replica.app.prepare('UPDATE _sync_changes SET rank = ?, timestamp = ?').run(rank, stamp);
  }

  it('is kept by an edit and a deletion, and by who passes the version on', () => {
    const [ann, bob, cid] = [group.add('ann'), group.add('bob'), group.add('cid')];
    write(ann, 'first');
    expect(rankOf(ann)?.rank).to.equal(null);
    setRank(ann, 3, 1_000);
    bob.pullFrom(ann);
    cid.pullFrom(bob);
    expect(rankOf(cid)).to.deep.equal({ rank: 3, stamp: 1_000, floor: null });
    write(cid, 'second');
    expect(rankOf(cid)?.rank).to.equal(3);
    cid.app.exec('DELETE FROM words');
    cid.fold();
    expect(rankOf(cid)?.rank).to.equal(3);
  });

  it('wins over a newer stamp', () => {
    const [ann, bob] = [group.add('ann'), group.add('bob')];
    write(ann, 'ranked');
    setRank(ann, 1, 1_000);
    write(bob, 'newer');
    bob.pullFrom(ann);
    ann.pullFrom(bob);
    for (const replica of [ann, bob])
      expect(replica.app.prepare('SELECT body FROM words').pluck().all()).to.deep.equal(['ranked']);
    expect(bob.conflicts()[0]?.remote).to.deep.include({ won: true, rank: 1, stamp: 1_000 });
    expect(bob.conflicts()[0]?.local).to.deep.include({ won: false, rank: 0, stamp: 2_000 });
  });

  it('lets no later edit take a stamp that the replica has given the row before', () => {
    const [ann, bob, cid] = [group.add('ann'), group.add('bob'), group.add('cid')];
    write(bob, 'lost to ann', 9_000);
    cid.pullFrom(bob);
    write(ann, 'ranked');
    setRank(ann, 1, 1_000);
    bob.pullFrom(ann);
    expect(rankOf(bob)).to.deep.equal({ rank: 1, stamp: 1_000, floor: 9_000 });
    write(bob, 'after both');
    expect(rankOf(bob)).to.deep.equal({ rank: 1, stamp: 9_001, floor: null });
    cid.pullFrom(bob);
    expect(cid.conflicts(), 'bob knew what cid had').to.have.length(0);
  });
});
