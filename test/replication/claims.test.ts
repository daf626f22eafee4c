import { expect } from 'chai';
import { QuickGroup, tableConfig, type QuickReplica } from './quick-replica.js';
import { instanceOf } from '#src/wire/instance.js';

const SCHEMA =
  'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT); CREATE TABLE notes (id TEXT PRIMARY KEY);';

describe('claims', () => {
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
  });
  afterEach(() => group.clear());
  after(() => group.remove());

  /** What `of` claims about `about`, as `knower` has heard. */
  function claim(knower: QuickReplica, of: QuickReplica, about: QuickReplica): number | undefined {
    return knower.members().get(of.node)?.claims[about.origin]?.log_id;
  }

  function add(replica: QuickReplica, ...ids: string[]): void {
    for (const id of ids) replica.app.prepare('INSERT INTO words VALUES (?, ?)').run(id, replica.node);
    replica.fold();
  }

  function head(replica: QuickReplica): number {
    return replica.app.prepare('SELECT coalesce(max(log_id), 0) FROM _sync_marks').pluck().get() as number;
  }

  it('spread through a chain, also about replicas that never meet', () => {
    add(ann, 'a', 'b');
    for (const [puller, peer] of [
      [bob, ann],
      [cid, bob],
      [dan, cid],
    ] as const) {
      puller.pullFrom(peer);
    }
    expect(claim(dan, dan, ann)).to.equal(head(ann));
    expect(claim(ann, dan, ann)).to.equal(undefined);
    for (const [puller, peer] of [
      [cid, dan],
      [bob, cid],
      [ann, bob],
    ] as const) {
      puller.pullFrom(peer);
    }
    for (const other of [bob, cid, dan]) expect(claim(ann, other, ann), other.node).to.equal(head(ann));
  });

  it('name everyone that their author knew, so that nobody behind it is overlooked', () => {
    dan.pullFrom(cid);
    add(ann, 'a');
    bob.pullFrom(ann);
    cid.pullFrom(bob);
    bob.pullFrom(cid);
    ann.pullFrom(bob);
    expect([...ann.members().keys()]).to.deep.equal(['ann', 'bob', 'cid', 'dan']);
    expect(claim(ann, cid, ann)).to.equal(head(ann));
    expect(claim(ann, dan, ann) ?? 0).to.equal(0);
  });

  it('wait for the head of a log', () => {
    add(ann, 'a', 'b', 'c', 'd');
    bob.pullPage(ann, 2);
    expect(claim(bob, bob, ann) ?? 0).to.equal(0);
    bob.pullPage(ann, 2);
    expect(claim(bob, bob, ann)).to.equal(head(ann));
  });

  it('are not made of a page that leaves a row out which was written meanwhile', () => {
    add(ann, 'a');
    ann.app.prepare('UPDATE words SET english = ? WHERE id = ?').run('not folded yet', 'a');
    const page = ann.page('', 10, null);
    expect(JSON.parse(page)).to.include({ complete: false, vouches: false, has_more: false });
  });

  it('are not taken over from a replica of other tables', () => {
    const eve = group.add('eve', '', { tables: [tableConfig('words'), tableConfig('notes')] });
    add(ann, 'a');
    bob.pullFrom(ann);
    eve.pullFrom(bob);
    expect(claim(eve, eve, bob)).to.equal(head(bob));
    expect(claim(eve, eve, ann)).to.equal(0);
  });

  it('are not taken over from a replica that holds changes in quarantine', () => {
    const strict = group.add(
      'strict',
      `CREATE TRIGGER no_b BEFORE INSERT ON words WHEN NEW.id = 'b' BEGIN SELECT RAISE(ABORT, 'no b'); END`,
    );
    add(ann, 'a', 'b');
    strict.pullFrom(ann);
    expect(strict.members().get('strict')).to.include({ held: 1 });
    cid.pullFrom(strict);
    expect(claim(cid, cid, strict)).to.equal(head(strict));
    expect(claim(cid, cid, ann)).to.equal(0);
    expect(cid.members().get('strict')).to.include({ held: 1 });
  });

  it('are not lowered by a comparison of everything', () => {
    add(ann, 'a', 'b', 'c');
    bob.pullFrom(ann);
    bob.app.prepare(`UPDATE _sync_peers SET cursor = ''`).run();
    bob.pullPage(ann, 1);
    expect(claim(bob, bob, ann)).to.equal(head(ann));
  });

  it('beyond the end of the log are not believed', () => {
    add(ann, 'a');
    bob.pullFrom(ann);
    bob.app
      .prepare(
        `UPDATE _sync_members SET claims = json_object(?, json('{"log_id":99,"mark":"ab"}')), told_ms = told_ms + 1 WHERE node = 'bob'`,
      )
      .run(ann.origin);
    bob.pullFrom(ann);
    expect(claim(ann, bob, ann) ?? 0).to.be.below(99);
  });

  it('of a log that was rewound and grew again have its replica go on as a new instance', () => {
    const backup = group.newFile();
    ann.copyTo(backup);
    add(ann, 'lost');
    bob.pullFrom(ann);
    cid.pullFrom(bob);
    const before = ann.origin;
    const restored = group.restoreDisk(ann, backup);
    expect(restored.origin).to.equal(before);
    add(restored, 'a', 'b', 'c');
    restored.pullFrom(cid);
    expect(restored.origin).to.not.equal(before);
    cid.pullFrom(restored);
    const words = ({ app }: QuickReplica) => app.prepare('SELECT id FROM words ORDER BY id').pluck().all();
    for (const each of [restored, cid]) expect(words(each)).to.deep.equal(['a', 'b', 'c', 'lost']);
  });

  it('of a log that was rewound keep nothing from who had more of it, while its replica stays away', () => {
    const all = [ann, bob, cid];
    const meet = (...replicas: QuickReplica[]) => {
      for (const one of replicas) for (const other of replicas) if (one !== other) one.pullFrom(other);
    };
    const words = ({ app }: QuickReplica) =>
      app.prepare<[], [string, string]>('SELECT id, english FROM words ORDER BY id').raw().all();
    add(ann, 'a', 'b');
    meet(...all);
    meet(...all);
    const backup = group.newFile();
    ann.copyTo(backup);
    add(ann, 'lost 1', 'lost 2', 'lost 3', 'lost 4', 'lost 5', 'lost 6');
    bob.pullFrom(ann);
    const restored = group.restoreDisk(ann, backup);
    group.nowMs += 1_000;
    restored.app.exec(`DELETE FROM words WHERE id = 'a'`);
    restored.fold();
    restored.app.exec(`UPDATE words SET english = 'edited' WHERE id = 'b'`);
    restored.fold();
    add(restored, 'new');
    cid.pullFrom(restored);
    for (const each of [bob, cid]) each.forget('ann');
    for (let round = 0; round < 3; round += 1) meet(bob, cid);
    expect(words(bob)).to.deep.equal(words(cid));
    expect(words(bob)).to.deep.include.members([
      ['b', 'edited'],
      ['lost 6', 'ann'],
      ['new', 'ann'],
    ]);
    expect(words(bob).map(([id]) => id)).to.not.include('a');
    for (const each of [bob, cid]) expect(each.prune()).to.equal(1);
  });

  it('about an instance that went on as another leave nothing out', () => {
    const backup = group.newFile();
    cid.copyTo(backup);
    add(cid, 'lost');
    dan.pullFrom(cid);
    const restored = group.restoreDisk(cid, backup);
    add(ann, 'a', 'b', 'c');
    bob.pullFrom(ann);
    restored.pullFrom(bob);
    bob.pullFrom(restored);
    ann.pullFrom(bob);
    expect(claim(ann, ann, restored)).to.equal(head(restored));
    for (const [puller, peer] of [
      [dan, restored],
      [restored, dan],
      [bob, restored],
      [ann, bob],
    ] as const) {
      puller.pullFrom(peer);
    }
    expect(ann.app.prepare('SELECT id FROM words ORDER BY id').pluck().all()).to.deep.equal([
      'a',
      'b',
      'c',
      'lost',
    ]);
  });

  it('whose mark was dropped meanwhile count as before, and prove nothing', () => {
    add(ann, 'a');
    bob.pullFrom(ann);
    cid.pullFrom(bob);
    const before = ann.origin;
    const claimed = head(ann);
    ann.app.exec(`
      DELETE FROM _sync_marks;
      UPDATE _sync_changes SET id = 200000;
      UPDATE sqlite_sequence SET seq = 200000 WHERE name = '_sync_changes';
      INSERT INTO _sync_marks VALUES (200000, 'ab');
    `);
    ann.pullFrom(cid);
    expect(ann.origin).to.equal(before);
    expect(claim(ann, cid, ann)).to.equal(claimed);
    expect(ann.blocks()).to.deep.equal({ bob: null, cid: null });
  });

  it('go with the instance that they are about', () => {
    add(ann, 'a');
    bob.pullFrom(ann);
    const before = ann.origin;
    expect(bob.members().get('bob')?.claims).to.have.property(before);
    ann.app.prepare(`UPDATE _sync_replica SET node = 'copied'`).run();
    const again = group.reopen(ann);
    again.pullFrom(bob);
    bob.pullFrom(again);
    expect(bob.members().get('bob')?.claims).to.not.have.property(before);
    expect(bob.members().get('ann')).to.satisfy(
      (row: Parameters<typeof instanceOf>[0]) => instanceOf(row) === again.origin,
    );
  });

  it('and members are told once', () => {
    add(ann, 'a');
    for (let round = 0; round < 3; round += 1) {
      bob.pullFrom(ann);
      ann.pullFrom(bob);
    }
    const { page } = bob.pullPage(ann, 10);
    expect(page).to.include({ complete: true, vouches: true });
    expect(page.members).to.equal(undefined);
  });
});
