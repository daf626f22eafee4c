import { expect } from 'chai';
import { Pair } from './replicas.js';

const SCHEMA =
  'CREATE TABLE words (id TEXT PRIMARY KEY, body TEXT); CREATE TABLE other (id TEXT PRIMARY KEY, body TEXT)';

describe('a table that is away while a peer pulls', () => {
  let pair: Pair;
  beforeEach(async () => {
    pair = await Pair.create({ schema: SCHEMA });
    pair.ann.execute(`INSERT INTO words VALUES ('old', 'x'), ('gone', 'x')`);
    await pair.converge('words', 'other');
    pair.ann.execute(`INSERT INTO words VALUES ('a', '1'), ('b', '2'); DELETE FROM words WHERE id = 'gone'`);
    pair.ann.execute(`INSERT INTO other VALUES ('o', 'stays')`);
    await pair.ann.fold();
  });
  afterEach(() => pair.close());

  async function expectAll(): Promise<void> {
    await pair.converge('words', 'other');
    expect(pair.bob.values('SELECT id FROM words ORDER BY id')).to.deep.equal(['a', 'b', 'old']);
  }

  it('brings what it missed when it was renamed away and back', async () => {
    pair.ann.execute('ALTER TABLE words RENAME TO words_old');
    await pair.bob.pull(pair.ann);
    expect(pair.bob.values('SELECT id FROM other'), 'the others are not held up').to.deep.equal(['o']);
    pair.ann.execute('ALTER TABLE words_old RENAME TO words');
    await expectAll();
  });

  it('holds a page up where nobody has noticed yet that it went', async () => {
    pair.ann.execute('ALTER TABLE words RENAME TO words_old');
    await pair.bob.pull(pair.ann, { fold: false });
    pair.ann.execute('ALTER TABLE words_old RENAME TO words');
    await expectAll();
  });

  it('brings what it missed when it was rebuilt without a transaction', async () => {
    pair.ann.execute(`CREATE TABLE words_new (id TEXT PRIMARY KEY, body TEXT, extra);
      INSERT INTO words_new (id, body) SELECT id, body FROM words; DROP TABLE words`);
    await pair.bob.pull(pair.ann);
    pair.ann.execute('ALTER TABLE words_new RENAME TO words');
    pair.bob.execute('ALTER TABLE words ADD COLUMN extra');
    await expectAll();
  });

  it('brings what it missed when it was not configured for a while', async () => {
    await pair.ann.close();
    pair.ann.configure([{ name: 'other' }]);
    await pair.ann.migrate();
    await pair.bob.pull(pair.ann);
    await pair.ann.close();
    pair.ann.configure([{ name: 'words' }, { name: 'other' }]);
    await pair.ann.migrate();
    await pair.ann.run('backfill');
    await expectAll();
  });
});
