import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { countOf, execute, expectSameContent, queryRow } from '../replication/content.js';
import { ReplicaGroup, type Replica } from '../replication/group.js';
import { scratchFolder } from '../scratch.js';

const SCHEMA = `
  CREATE TABLE authors (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
  CREATE TABLE books (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES authors (id) ON DELETE CASCADE, title TEXT);
  INSERT INTO authors VALUES (1, 'Ada'), (2, 'Bea'), (5, 'Cyd');
  INSERT INTO books VALUES (1, 1, 'one'), (2, 5, 'two'), (3, 2, 'three');
`;
const KEYS = { authors: ['id'], books: ['id'] };
const TITLES =
  "SELECT group_concat(line) FROM (SELECT a.name || ' ' || b.title AS line FROM books b JOIN authors a ON a.id = b.author_id ORDER BY 1)";

describe('two replicas whose integer keys were converted', function () {
  this.timeout(120_000);
  let group: ReplicaGroup;
  let desktop: Replica;
  let laptop: Replica;

  beforeEach(async () => {
    group = await ReplicaGroup.create({
      tables: [{ name: 'authors' }, { name: 'books' }],
      peers: { desktop: ['laptop'], laptop: ['desktop'] },
    });
    desktop = group.replica('desktop');
    laptop = group.replica('laptop');
    for (const replica of group.replicas) replica.create(SCHEMA);
  });
  afterEach(() => group.remove());

  async function convert(replica: Replica, ids: string, ...more: string[]): Promise<void> {
    await replica.cli(
      'convert-ids',
      '--table',
      'authors',
      'books',
      '--ids',
      ids,
      '--out',
      scratchFolder(),
      ...more,
    );
  }

  async function joinAndSettle(): Promise<void> {
    for (const replica of group.replicas) {
      await replica.join();
      await replica.start();
    }
    await group.settle();
    expectSameContent(group.files, KEYS);
    for (const { database } of group.replicas) {
      expect(countOf(database, '_sync_conflicts') + countOf(database, '_sync_quarantine')).to.equal(0);
      expect(queryRow(database, 'SELECT count(*) FROM pragma_foreign_key_check')).to.deep.equal([0]);
    }
  }

  it('merge silently where the keys are shared, converted in one step or in two, with columns added', async () => {
    await convert(desktop, 'shared', '--add-columns');
    for (const table of ['books', 'authors']) {
      await laptop.cli(
        'convert-ids',
        '--table',
        table,
        '--ids',
        'shared',
        '--out',
        scratchFolder(),
        '--add-columns',
      );
    }
    await joinAndSettle();
    expect(queryRow(laptop.database, TITLES)).to.deep.equal(['Ada one,Bea three,Cyd two']);

    execute(
      desktop.database,
      "INSERT INTO authors (name) VALUES ('Dot'); INSERT INTO books (author_id, title) SELECT id, 'four' FROM authors WHERE name = 'Dot'",
    );
    execute(
      laptop.database,
      "INSERT INTO authors (name) VALUES ('Eve'); INSERT INTO books (author_id, title) SELECT id, 'five' FROM authors WHERE name = 'Eve'; DELETE FROM books WHERE title = 'one'",
    );
    await group.settle();
    expectSameContent(group.files, KEYS);
    expect(queryRow(desktop.database, TITLES)).to.deep.equal(['Bea three,Cyd two,Dot four,Eve five']);
    await group.expectQuiet();
  });

  it('keep both sets of rows where each drew keys of its own', async () => {
    execute(laptop.database, "UPDATE authors SET name = name || ' of the laptop'");
    await convert(desktop, 'own');
    await convert(laptop, 'own');
    await joinAndSettle();
    expect(countOf(desktop.database, 'authors')).to.equal(6);
    expect(queryRow(laptop.database, TITLES)[0]).to.equal(
      'Ada of the laptop one,Ada one,Bea of the laptop three,Bea three,Cyd of the laptop two,Cyd two',
    );
    await group.expectQuiet();
  });

  it('are one where the second is a copy of the first, converted with keys of its own', async () => {
    await convert(desktop, 'own');
    copyFileSync(desktop.database, join(laptop.database));
    await joinAndSettle();
    expect(queryRow(laptop.database, TITLES)).to.deep.equal(['Ada one,Bea three,Cyd two']);
  });
});
