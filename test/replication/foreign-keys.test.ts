import { expect } from 'chai';
import type { DanglingReference } from '#src/changelog/dangling.js';
import { Pair, type TortureReplica } from '../torture/replicas.js';

const SCHEMA = `
  CREATE TABLE authors (id TEXT PRIMARY KEY, name TEXT);
  CREATE TABLE books (id TEXT PRIMARY KEY, author TEXT REFERENCES authors);
  CREATE TABLE reviews (book TEXT, reader TEXT, PRIMARY KEY (book, reader),
    FOREIGN KEY (book) REFERENCES books (id)) WITHOUT ROWID;
  CREATE TABLE notes (id INTEGER PRIMARY KEY, book TEXT REFERENCES books (id));`;
const REPLICATED = ['authors', 'books', 'reviews'];

describe('Foreign keys between two replicas', function () {
  this.timeout(60_000);
  let pair: Pair;
  let ann: TortureReplica;
  let bob: TortureReplica;

  beforeEach(async () => {
    // notes stay local: their keys are row numbers
    pair = await Pair.create({ schema: SCHEMA, tables: REPLICATED.map((name) => ({ name })) });
    ({ ann, bob } = pair);
  });
  afterEach(() => pair.close());

  /** What `status --json` says without a daemon. */
  async function dangling(replica: TortureReplica): Promise<readonly DanglingReference[]> {
    const report = JSON.parse(await replica.run('status', '--json')) as {
      dangling_references: DanglingReference[];
    };
    return report.dangling_references;
  }

  it('take children that arrive before their parents, and name none once the parents are there', async () => {
    ann.execute(`PRAGMA foreign_keys = ON; INSERT INTO authors VALUES ('ada', 'Ada');
      INSERT INTO books VALUES ('a1', 'ada'); INSERT INTO reviews VALUES ('a1', 'r')`);
    // an edit moves the parent to the end of the log: behind its children, on another page
    await ann.fold();
    ann.execute(`UPDATE authors SET name = 'Ada L.'`);
    for (let n = 0; n < 20; n += 1) ann.execute(`INSERT INTO books VALUES ('b${n}', 'ada')`);
    ann.execute(`UPDATE authors SET name = 'Ada Lovelace'`);
    await pair.converge(...REPLICATED);
    expect(bob.values('SELECT count(*) FROM books')).to.deep.equal([21]);
    expect(await dangling(bob)).to.deep.equal([]);
  });

  it('keep children that were written while their parent was deleted elsewhere, and name them on both', async () => {
    ann.execute(`INSERT INTO authors VALUES ('ada', 'Ada'); INSERT INTO books VALUES ('a1', 'ada')`);
    await pair.converge(...REPLICATED);
    bob.execute(`PRAGMA foreign_keys = ON; INSERT INTO books VALUES ('a2', 'ada'), ('a3', 'ada')`);
    ann.execute(`PRAGMA foreign_keys = ON; DELETE FROM books; DELETE FROM authors`);
    await pair.converge(...REPLICATED);
    const expected = [
      {
        table: 'books',
        parent: 'authors',
        columns: ['author'],
        rows: 2,
        at_least: false,
        keys: [['a2'], ['a3']],
      },
    ];
    expect(await dangling(ann)).to.deep.equal(expected);
    expect(await dangling(bob)).to.deep.equal(expected);
    const text = await ann.run('status');
    expect(text).to.include('2 rows of books refer by author to authors that are not there: ["a2"], ["a3"]');

    ann.execute(`INSERT INTO authors VALUES ('ada', 'Ada again')`);
    await pair.converge(...REPLICATED);
    expect(await dangling(bob)).to.deep.equal([]);
  });

  it('name what dangles in a WITHOUT ROWID table, and in a local table whose parent a peer deleted', async () => {
    ann.execute(`INSERT INTO authors VALUES ('ada', 'Ada'); INSERT INTO books VALUES ('a1', 'ada');
      INSERT INTO reviews VALUES ('a1', 'r'), ('a1', 's'), ('a1', 't'), ('a1', 'u')`);
    await pair.converge(...REPLICATED);
    bob.execute(`INSERT INTO notes (book) VALUES ('a1')`);
    ann.execute('PRAGMA foreign_keys = OFF; DELETE FROM books');
    await pair.converge(...REPLICATED);
    const keys = ['r', 's', 't'].map((reader) => ['a1', reader]);
    const reviews = { table: 'reviews', parent: 'books', columns: ['book'], rows: 4, at_least: false, keys };
    expect(await dangling(ann)).to.deep.equal([reviews]);
    const notes = { table: 'notes', parent: 'books', columns: ['book'], rows: 1, at_least: false, keys: [] };
    expect(await dangling(bob)).to.deep.equal([notes, reviews]);
  });

  it('are counted up to a bound, and one that SQLite can not check does not stop the others', async () => {
    ann.execute(`PRAGMA foreign_keys = OFF; CREATE TABLE odd (id TEXT PRIMARY KEY, name TEXT REFERENCES authors (name));
      INSERT INTO odd VALUES ('x', 'y');
      WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
      INSERT INTO books SELECT 'b' || printf('%05d', i), 'nobody' FROM n`);
    const [books, ...others] = await dangling(ann);
    expect(books).to.deep.include({ table: 'books', rows: 1000, at_least: true });
    expect(others).to.deep.equal([]);
    expect(await ann.run('status')).to.include('At least 1000 rows of books');
  });
});
