import { expect } from 'chai';
import { lookForNews } from '#src/changelog/news.js';
import { parsePage } from '#src/wire/page.js';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';

describe('a look for news', () => {
  let group: QuickGroup;
  let ann: QuickReplica;
  let bob: QuickReplica;
  before(
    () => (group = new QuickGroup('CREATE TABLE plain (id TEXT PRIMARY KEY, body)', [tableConfig('plain')])),
  );
  beforeEach(() => {
    ann = group.add('ann');
    bob = group.add('bob');
  });
  afterEach(() => group.clear());
  after(() => group.remove());

  const look = (at: QuickReplica, puller: QuickReplica, seen = 0, since = puller.startOf(at).cursor) =>
    lookForNews(
      at.changelog,
      { since, limit: 1, puller: puller.origin, tables: null, nowMs: Date.now() },
      seen,
    );
  /** Ids in the page that goes with the answer; null: none does. */
  const given = (at: QuickReplica, puller: QuickReplica): unknown => {
    const { cursor: since, member } = puller.startOf(at);
    const query = { since, limit: 1_000, puller: puller.origin, tables: null, nowMs: Date.now(), member };
    const { page } = lookForNews(at.changelog, query, 0, true);
    return page === null ? null : parsePage(page.body).changes.map(({ key }) => key[0]);
  };
  const write = ({ app }: QuickReplica, id: string) => app.exec(`INSERT INTO plain VALUES ('${id}', 'x')`);

  it('finds what was folded after the cursor, and nothing once that was pulled', () => {
    bob.pullFrom(ann);
    expect(look(ann, bob).news).to.equal(false);
    write(ann, 'a');
    expect(look(ann, bob).news).to.equal(false);
    ann.fold();
    expect(look(ann, bob).news).to.equal(true);
    bob.pullFrom(ann);
    expect(look(ann, bob).news).to.equal(false);
  });

  it('finds nothing in what came from who asks', () => {
    bob.pullFrom(ann);
    write(bob, 'b');
    bob.fold();
    ann.pullFrom(bob);
    expect(look(ann, bob).news).to.equal(false);
    write(ann, 'a');
    ann.fold();
    expect(look(ann, bob).news).to.equal(true);
  });

  it('goes on where an earlier look ended', () => {
    bob.pullFrom(ann);
    write(ann, 'a');
    ann.fold();
    const { seen } = look(ann, bob);
    expect(look(ann, bob, seen).news).to.equal(false);
    write(ann, 'b');
    ann.fold();
    expect(look(ann, bob, seen).news).to.equal(true);
  });

  it('brings the page itself where all of it was authored here', () => {
    bob.pullFrom(ann);
    expect(given(ann, bob)).to.equal(null);
    write(ann, 'a');
    expect(given(ann, bob), 'not folded').to.equal(null);
    ann.fold();
    expect(given(ann, bob)).to.deep.equal(['a']);
  });

  it('brings it past what came from who asks', () => {
    bob.pullFrom(ann);
    write(bob, 'b');
    bob.fold();
    ann.pullFrom(bob);
    write(ann, 'a');
    ann.fold();
    expect(given(ann, bob)).to.deep.equal(['a']);
  });

  it('brings no page that holds what others may have sent meanwhile', () => {
    const cid = group.add('cid');
    bob.pullFrom(ann);
    write(cid, 'c');
    cid.fold();
    write(ann, 'a');
    ann.fold();
    ann.pullFrom(cid);
    expect(look(ann, bob).news).to.equal(true);
    expect(given(ann, bob)).to.equal(null);
  });

  it('brings no page that is long, or that ends before a row that waits for the fold', () => {
    bob.pullFrom(ann);
    for (let id = 0; id < 100; id += 1) write(ann, `a ${id}`);
    ann.fold();
    expect(given(ann, bob)).to.have.length(100);
    ann.app.exec(`UPDATE plain SET body = 'newer' WHERE id = 'a 50'`);
    expect(given(ann, bob), 'not folded').to.equal(null);
    ann.fold();
    expect(given(ann, bob)).to.have.length(100);
    ann.app.exec(`UPDATE plain SET body = hex(zeroblob(40000)) WHERE id = 'a 50'`);
    ann.fold();
    expect(given(ann, bob), 'bytes').to.equal(null);
    ann.app.exec(`UPDATE plain SET body = 'x' WHERE id = 'a 50'`);
    write(ann, 'one more');
    ann.fold();
    expect(given(ann, bob), 'rows').to.equal(null);
  });

  it('brings no page to who shows that this log was rewound: its pull is told what to do', () => {
    bob.pullFrom(ann);
    write(ann, 'a');
    ann.fold();
    const { cursor: since } = bob.startOf(ann);
    const heard = { epoch: 'ff', born_ms: Date.now() };
    const query = { since, limit: 10, puller: bob.origin, tables: null, nowMs: Date.now(), heard };
    expect(lookForNews(ann.changelog, query, 0, true)).to.deep.include({ news: true, page: null });
  });

  it('takes a cursor that is not of this log for news: the pull is told what to do', () => {
    expect(look(ann, bob, 0, 'ff.3.ab').news).to.equal(true);
  });
});
