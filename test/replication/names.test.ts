import { expect } from 'chai';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';

const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT)';

describe('what a page names to a replica that overruled it, or had it from others', () => {
  let group: QuickGroup;
  let ann: QuickReplica;
  let bob: QuickReplica;
  let cid: QuickReplica;
  let dan: QuickReplica;
  before(() => (group = new QuickGroup(SCHEMA, [tableConfig('words')])));
  beforeEach(() => {
    [ann, bob, cid, dan] = ['ann', 'bob', 'cid', 'dan'].map((node) => group.add(node)) as [
      QuickReplica,
      QuickReplica,
      QuickReplica,
      QuickReplica,
    ];
    put(ann, 'a', 'a');
    for (let round = 0; round < 3; round += 1) settle();
  });
  afterEach(() => group.clear());
  after(() => group.remove());

  function put(at: QuickReplica, id: string, english: string): void {
    group.nowMs += 10;
    at.app
      .prepare('INSERT INTO words VALUES (?, ?) ON CONFLICT DO UPDATE SET english = excluded.english')
      .run(id, english);
    at.fold();
  }

  function settle(): void {
    const all = [ann, bob, cid, dan];
    for (const one of all) for (const other of all) if (one !== other) one.pullFrom(other);
  }

  it('is no conflict where its content was here as another version, which was then overwritten here', () => {
    put(ann, 'w', 'x');
    put(bob, 'w', 'x');
    cid.pullFrom(ann);
    bob.pullFrom(ann);
    put(bob, 'w', 'y');
    bob.pullFrom(cid);
    expect(bob.conflicts(true)).to.deep.equal([]);
  });

  it('is no conflict where its content was here as another version, which was overwritten elsewhere', () => {
    put(ann, 'w', 'x');
    put(bob, 'w', 'x');
    cid.pullFrom(ann);
    dan.pullFrom(ann);
    dan.pullFrom(bob);
    put(bob, 'w', 'y');
    dan.pullFrom(bob);
    dan.pullFrom(cid);
    expect(dan.conflicts(true)).to.deep.equal([]);
  });

  it('does not come back from each further peer where a person dropped it from quarantine', () => {
    const strict = group.add(
      'strict',
      `CREATE TRIGGER no_b BEFORE INSERT ON words WHEN NEW.id = 'b' BEGIN SELECT RAISE(ABORT, 'no b'); END`,
    );
    for (let round = 0; round < 2; round += 1)
      for (const other of [ann, bob, cid]) {
        strict.pullFrom(other);
        other.pullFrom(strict);
      }
    put(ann, 'b', 'b');
    bob.pullFrom(ann);
    cid.pullFrom(ann);
    strict.pullFrom(ann);
    const held = () => strict.app.prepare('SELECT id FROM _sync_quarantine').pluck().all() as number[];
    expect(held()).to.have.length(1);
    strict.drop(Number(held()[0]));
    strict.pullFrom(bob);
    expect(held(), 'from bob').to.deep.equal([]);
    strict.pullFrom(cid);
    expect(held(), 'from cid').to.deep.equal([]);
  });

  it('is listed once, where it was compared, not where only the winner came', () => {
    put(ann, 'w', 'x');
    put(bob, 'w', 'y');
    cid.pullFrom(ann);
    bob.pullFrom(ann);
    expect(bob.conflicts(true)).to.have.length(1);
    dan.pullFrom(bob);
    dan.pullFrom(cid);
    expect(dan.conflicts(true)).to.deep.equal([]);
  });
});
