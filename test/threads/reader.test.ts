import { expect } from 'chai';
import { MAX_TAIL } from '#src/changelog/tail.js';
import { Reader } from '#src/threads/reader.js';
import { MAX_COUNTED_ROWS } from '#src/threads/table-watch.js';
import { Writer } from '#src/threads/writer.js';
import { addWords, createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';

describe('What the reader tells a person', () => {
  let file: DatabaseFile;
  let writer: Writer;
  let reader: Reader;
  beforeEach(async () => {
    file = await createDatabaseFile('ann');
    writer = new Writer(file.config);
    await writer.open();
    reader = new Reader(file.config);
    await reader.open();
  });
  afterEach(async () => {
    await reader.close();
    await writer.close();
    file.app.close();
  });

  const nothing = { unfolded: 0, quarantined: 0, conflicts: 0 };

  it('counts the rows of each table, and what waits in it', async () => {
    expect(await reader.tables()).to.deep.equal([{ name: 'words', rows: 0, more: false, ...nothing }]);
    const another = new Reader(file.config);
    await another.open();
    addWords(file.app, 'a', 'b');
    const [counted] = await another.tables();
    expect(counted).to.deep.equal({ name: 'words', rows: 2, more: false, ...nothing, unfolded: 2 });
    await writer.fold();
    expect((await another.tables())[0]).to.include({ unfolded: 0 });
    await another.close();
  });

  it('counts a large table no further than some milliseconds take', async () => {
    file.app
      .exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= ${MAX_COUNTED_ROWS})
      INSERT INTO words SELECT 'w' || i, '', 1704326400000 FROM n`);
    expect((await reader.tables())[0]).to.include({ rows: MAX_COUNTED_ROWS, more: true });
  });

  it('says of a table that is missing that it knows no rows', async () => {
    file.app.exec('DROP TABLE words');
    expect(await reader.tables()).to.deep.equal([{ name: 'words', rows: null, more: false, ...nothing }]);
  });

  it('gives the newest entries of the changelog, folded or not, with the key as it is', async () => {
    addWords(file.app, 'a', 'b');
    await writer.fold();
    file.app.exec(`UPDATE words SET english = 'new' WHERE id = 'a'; DELETE FROM words WHERE id = 'b'`);
    const { entries } = await reader.changelogTail(3);
    const shown = entries.map(({ operation, key, origin }) => [
      operation,
      key,
      origin?.split('@')[0] ?? null,
    ]);
    expect(shown).to.deep.equal([
      ['DELETE', ['b'], null],
      ['UPDATE', ['a'], null],
      ['INSERT', ['b'], 'ann'],
    ]);
    expect(entries[2]).to.deep.include({ table: 'words', time_ms: 1_704_326_400_000 });
    expect((await reader.changelogTail(MAX_TAIL)).entries).to.have.length(4);
  });

  it('keeps apart bytes, text that is not clean and large numbers in a key', async () => {
    file.app.exec(`INSERT INTO words VALUES (x'00ff', '', 1), (CAST(x'ff41' AS TEXT), '', 1)`);
    const keys = (await reader.changelogTail(2)).entries.map(({ key }) => key);
    expect(keys).to.deep.equal([[{ $text: '/0E=' }], [{ $blob: 'AP8=' }]]);
  });
});
