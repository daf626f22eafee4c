import { expect } from 'chai';
import { lookForNews } from '#src/changelog/news.js';
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

  it('takes a cursor that is not of this log for news: the pull is told what to do', () => {
    expect(look(ann, bob, 0, 'ff.3.ab').news).to.equal(true);
  });
});
