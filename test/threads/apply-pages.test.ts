import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { LATENCY_BOUNDS_MS } from '#src/apply/latency.js';
import { SyncError } from '#src/errors.js';
import type { SentPage } from '#src/threads/calls.js';
import { Reader } from '#src/threads/reader.js';
import { Writer } from '#src/threads/writer.js';
import type { WirePage } from '#src/wire/page.js';
import { addWords, createDatabaseFile, wordsOf, type DatabaseFile } from '../stand-ins/database-file.js';

describe('pages that lead on from one another', () => {
  let bob: DatabaseFile;
  let writer: Writer;
  let pages: SentPage[];

  before(async () => {
    const ann = await createDatabaseFile('ann');
    const theirs = new Writer(ann.config);
    await theirs.open();
    addWords(ann.app, 'a', 'b', 'c', 'd', 'e', 'f');
    await theirs.fold();
    const reader = new Reader(ann.config);
    await reader.open();
    pages = [];
    for (let since = '', more = true; more;) {
      const page = await reader.page({ since, limit: 2, node: 'bob', epoch: 'b0', tables: null });
      pages.push({ since, body: page.body, sha256: page.sha256 });
      since = page.nextCursor;
      more = page.hasMore;
    }
    expect(pages).to.have.length(3);
    await reader.close();
    await theirs.close();
    ann.app.close();
  });

  beforeEach(async () => {
    bob = await createDatabaseFile('bob');
    writer = new Writer(bob.config);
    await writer.open();
  });
  afterEach(async () => {
    await writer.close();
    bob.app.close();
  });

  function apply(given: readonly SentPage[] = pages) {
    const [first, ...further] = given;
    if (first === undefined) throw new TypeError('Expected a page');
    return writer.apply({ peer: 'ann', epoch: null, ...first, further });
  }

  /** The same page, with the names of its versions alone. */
  function namesOf({ since, body }: SentPage): SentPage {
    const page = JSON.parse(Buffer.from(body).toString()) as WirePage;
    const changes = page.changes.map((change) => ({ ...change, record: undefined }));
    const named = Buffer.from(JSON.stringify({ ...page, changes }));
    return { since, body: named, sha256: createHash('sha256').update(named).digest('hex') };
  }

  function cursor(): unknown {
    return bob.app.prepare("SELECT cursor FROM _sync_peers WHERE name = 'ann'").pluck().get();
  }

  it('count each applied change with the time that it was on its way, and what was folded before', async () => {
    addWords(bob.app, 'of bob');
    const { applied, latencies, tally } = await apply();
    expect(applied).to.equal(6);
    // Their timestamps are of years ago.
    expect(latencies.counts).to.deep.equal([...LATENCY_BOUNDS_MS.map(() => 0), 6]);
    expect(tally).to.deep.equal({ entries: 1, versions: 1 });
  });

  it('are applied together, in one transaction', async () => {
    const versionOf = () => bob.app.pragma('data_version', { simple: true }) as number;
    await writer.fold();
    const before = versionOf();
    expect(await apply()).to.include({ pages: 3, received: 6, applied: 6, hasMore: false });
    expect(wordsOf(bob.app)).to.deep.equal(['a', 'b', 'c', 'd', 'e', 'f']);
    // one for what was to be folded before, one for the pages
    expect(versionOf() - before).to.be.at.most(2);
  });

  it('end before one that is damaged, which is told of when it is the first', async () => {
    const [first, second, third] = pages as [SentPage, SentPage, SentPage];
    const damaged = { ...second, sha256: '0'.repeat(64) };
    expect(await apply([first, damaged, third])).to.include({ pages: 1, applied: 2, hasMore: true });
    expect(cursor()).to.equal(second.since);
    const outcome = await apply([damaged, third]).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(SyncError).with.property('code', 'page_damaged');
    expect(wordsOf(bob.app)).to.deep.equal(['a', 'b']);
    expect(await apply([second, third])).to.include({ pages: 2, applied: 4 });
  });

  it('end before one that names what is not here', async () => {
    const [first, second, third] = pages as [SentPage, SentPage, SentPage];
    const named = namesOf(second);
    expect(await apply([first, named, third])).to.include({ pages: 1, applied: 2 });
    const outcome = await apply([named, third]).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(SyncError).with.property('code', 'rows_missing');
    expect(cursor()).to.equal(second.since);
  });

  it('are all applied where a trigger of the application takes a whole transaction back', async () => {
    bob.app.exec(`
      CREATE TRIGGER no_d BEFORE INSERT ON words WHEN NEW.id = 'd' BEGIN SELECT RAISE(ROLLBACK, 'no d'); END`);
    const page = await apply();
    expect(page).to.include({ pages: 3, received: 6, applied: 5, quarantined: 1 });
    expect(page.latencies.counts.at(-1), 'counted once').to.equal(5);
    expect(wordsOf(bob.app)).to.deep.equal(['a', 'b', 'c', 'e', 'f']);
    expect(bob.app.prepare('SELECT count(*) FROM _sync_quarantine').pluck().get()).to.equal(1);
  });

  it('are each entered with what came from its sender', async () => {
    await apply();
    const via = `SELECT DISTINCT name FROM _sync_changes AS c JOIN _sync_origins AS o ON o.id = c.via`;
    expect(bob.app.prepare(via).pluck().all()).to.have.length(1);
    expect(bob.app.prepare('SELECT count(*) FROM _sync_changes WHERE via IS NULL').pluck().get()).to.equal(0);
  });
});
