import { copyFileSync } from 'node:fs';
import { expect } from 'chai';
import { countOf, execute, expectSameContent, queryRow, withDatabase } from './content.js';
import { ReplicaGroup, type GroupOptions, type Replica } from './group.js';

const SCHEMA =
  'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, german TEXT, updated_at INTEGER, deleted_at INTEGER);';

/** Everyone pulls from everyone. */
const MESH: GroupOptions = {
  tables: [{ name: 'words', timestamp_column: 'updated_at', soft_delete_column: 'deleted_at' }],
  peers: { desktop: ['laptop', 'server'], laptop: ['desktop', 'server'], server: ['desktop', 'laptop'] },
};

/** Long ago; legacy rows were written then. */
const LEGACY_MS = 1_700_000_000_000;

describe('a vocabulary app on three machines', function () {
  this.timeout(60_000);
  let group: ReplicaGroup;
  let desktop: Replica;
  let laptop: Replica;
  let server: Replica;

  before(createGroup);
  after(() => group.remove());

  describe('with the same 1,000 words', () => {
    before(() => beginWithTheSame(1_000));

    it('has 1,009 on all three after the laptop was offline for its day', async () => {
      expect(wordCounts()).to.deep.equal([1_000, 1_000, 1_000]);
      await laptop.stop();
      addWords(laptop, 5, 'train');
      addWords(desktop, 4, 'office');
      await server.pull('desktop');
      expect(wordCounts()).to.deep.equal([1_004, 1_005, 1_004]);

      await laptop.start();
      await expectAllAt(1_009);
    });

    it('has 100 more on all three after 50, 20 and 30 were added on them', async () => {
      const before = wordCounts();
      addWords(desktop, 50, 'desktop');
      addWords(laptop, 20, 'laptop');
      addWords(server, 30, 'server');
      expect(before).to.deep.equal([1_009, 1_009, 1_009]);
      await expectAllAt(1_109);
    });

    it('compares everything again in a full sync, and changes nothing', async () => {
      const heads = group.heads();
      const json = await laptop.cli('sync', '--full', '--json');
      const { peers } = JSON.parse(json) as { peers: { received: number; applied: number }[] };
      expect(peers.map(({ applied }) => applied)).to.deep.equal([0, 0]);
      expect(peers[0]?.received).to.be.at.least(1_000);
      expect(group.heads()).to.deep.equal(heads);
    });
  });

  describe('with rows from before that had diverged', () => {
    before(async () => {
      await group.remove();
      await createGroup();
      desktop.create(SCHEMA);
      legacyWords(desktop, 0, 999);
      // the others' copies were taken earlier, and went on by themselves
      laptop.create(SCHEMA);
      legacyWords(laptop, 0, 899);
      legacyWords(laptop, 2_000, 2_049);
      editLegacy(laptop, 0, 99, LEGACY_MS + 10_000);
      editLegacy(laptop, 200, 249, LEGACY_MS - 10_000);
      server.create(SCHEMA);
      legacyWords(server, 0, 849);
      legacyWords(server, 3_000, 3_069);
      editLegacy(server, 50, 149, LEGACY_MS + 20_000);
    });

    it('merges 1,000, 950 and 920 words by migrate and backfill, newest edit first', async () => {
      expect(wordCounts()).to.deep.equal([1_000, 950, 920]);
      await joinAll();
      await expectAllAt(1_000 + 50 + 70);
      const edits = ["german = 'edited on laptop'", "german = 'edited on server'"];
      for (const { database } of group.replicas) {
        expect(edits.map((edit) => countOf(database, 'words', edit))).to.deep.equal([50, 100]);
      }
      await group.expectQuiet();
    });

    it('lists what an edit overruled, and nothing that was the same on all', () => {
      const overruled = new Set(group.files.flatMap(overruledWords));
      const expected = [...range(0, 149), ...range(200, 249)].map((number) => `w${number}`);
      expect([...overruled].sort()).to.deep.equal(expected.sort());
    });
  });

  describe('when two of them change one word while they are apart', () => {
    let longAgoMs: number;

    before(async () => {
      await group.remove();
      await createGroup();
      await beginWithTheSame(10);
      await Promise.all([desktop.stop(), laptop.stop()]);
      longAgoMs = Date.now() - 60_000;
      softDelete(desktop, 'w0', longAgoMs);
      update(laptop, 'w0', longAgoMs + 1);
      hardDelete(desktop, 'w1');
      update(laptop, 'w1', Date.now() + 1_000);
      update(laptop, 'w2', longAgoMs);
      softDelete(desktop, 'w2', longAgoMs + 1);
      update(laptop, 'w3', longAgoMs);
      hardDelete(desktop, 'w3');
      softDelete(desktop, 'w4', longAgoMs);
      softDelete(laptop, 'w4', longAgoMs + 5);
      hardDelete(desktop, 'w5');
      hardDelete(laptop, 'w5');
      softDelete(desktop, 'w6', longAgoMs);
      hardDelete(desktop, 'w7');
      await Promise.all([desktop.start(), laptop.start()]);
      await group.settle();

      softDelete(laptop, 'w6', longAgoMs + 30_000);
      insert(laptop, 'w7');
      hardDelete(laptop, 'w7');
      await group.settle();
    });

    it('has the same on all', () => {
      expectSameContent(group.files, { words: ['id'] });
    });

    it('keeps a word that was updated after it was soft-deleted elsewhere', () => {
      expect(word('w0')).to.deep.equal(['updated on laptop', null]);
    });

    it('keeps a word that was updated after it was deleted elsewhere', () => {
      expect(word('w1')).to.deep.equal(['updated on laptop', null]);
    });

    it('deletes a word that was soft-deleted after it was updated elsewhere', () => {
      expect(word('w2')).to.deep.equal(['word 2', longAgoMs + 1]);
    });

    it('deletes a word that was deleted after it was updated elsewhere', () => {
      expect(word('w3')).to.deep.equal([]);
    });

    it('keeps a word deleted that both soft-deleted, at the later time', () => {
      expect(word('w4')).to.deep.equal(['word 4', longAgoMs + 5]);
    });

    it('keeps a word deleted that both deleted', () => {
      expect(word('w5')).to.deep.equal([]);
    });

    it('keeps a word deleted that is soft-deleted again where the delete has arrived', () => {
      expect(word('w6')).to.deep.equal(['word 6', longAgoMs + 30_000]);
    });

    it('keeps a word deleted that is written again and deleted again', () => {
      expect(word('w7')).to.deep.equal([]);
    });

    it('lists the changes that lost, and no delete that came twice', () => {
      const overruled = new Set(group.files.flatMap(overruledWords));
      expect([...overruled].sort()).to.deep.equal(['w0', 'w1', 'w2', 'w3', 'w4']);
    });
  });

  async function createGroup(): Promise<void> {
    group = await ReplicaGroup.create(MESH);
    [desktop, laptop, server] = group.replicas as [Replica, Replica, Replica];
  }

  async function beginWithTheSame(words: number): Promise<void> {
    desktop.create(SCHEMA);
    legacyWords(desktop, 0, words - 1);
    for (const other of [laptop, server]) copyFileSync(desktop.database, other.database);
    await joinAll();
    await expectAllAt(words);
  }

  async function joinAll(): Promise<void> {
    await Promise.all(group.replicas.map((replica) => replica.join()));
    await Promise.all(group.replicas.map((replica) => replica.start()));
  }

  async function expectAllAt(words: number): Promise<void> {
    await group.settle();
    expectSameContent(group.files, { words: ['id'] });
    expect(wordCounts()).to.deep.equal([words, words, words]);
  }

  function wordCounts(): number[] {
    return group.files.map((file) => countOf(file, 'words'));
  }

  function word(id: string): unknown[] {
    return queryRow(server.database, `SELECT english, deleted_at FROM words WHERE id = '${id}'`);
  }
});

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Keys in the ledger of what last-write-wins overruled. */
function overruledWords(file: string): string[] {
  return withDatabase(file, (database) => {
    const rows = database.prepare<[], { record_key: string }>(
      'SELECT DISTINCT record_key FROM _sync_conflicts',
    );
    return rows.all().map((row) => (JSON.parse(row.record_key) as [string])[0]);
  });
}

/** Words as all machines had them before they replicated. */
function legacyWords({ database }: Replica, first: number, last: number): void {
  execute(
    database,
    `WITH RECURSIVE n (i) AS (SELECT ${first} UNION ALL SELECT i + 1 FROM n WHERE i < ${last})
     INSERT INTO words SELECT 'w' || i, 'word ' || i, 'Wort ' || i, ${LEGACY_MS}, NULL FROM n`,
  );
}

function editLegacy({ database, name }: Replica, first: number, last: number, atMs: number): void {
  execute(
    database,
    `UPDATE words SET german = 'edited on ${name}', updated_at = ${atMs}
     WHERE CAST(substr(id, 2) AS INTEGER) BETWEEN ${first} AND ${last}`,
  );
}

function addWords({ database }: Replica, count: number, where: string): void {
  execute(
    database,
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     INSERT INTO words SELECT '${where}-' || i, 'new ' || i, NULL, ${Date.now()}, NULL FROM n`,
  );
}

function insert({ database }: Replica, id: string): void {
  execute(database, `INSERT INTO words VALUES ('${id}', 'again', NULL, ${Date.now()}, NULL)`);
}

function update({ database, name }: Replica, id: string, atMs: number): void {
  execute(
    database,
    `UPDATE words SET english = 'updated on ${name}', updated_at = ${atMs} WHERE id = '${id}'`,
  );
}

function softDelete({ database }: Replica, id: string, atMs: number): void {
  execute(database, `UPDATE words SET deleted_at = ${atMs}, updated_at = ${atMs} WHERE id = '${id}'`);
}

function hardDelete({ database }: Replica, id: string): void {
  execute(database, `DELETE FROM words WHERE id = '${id}'`);
}
