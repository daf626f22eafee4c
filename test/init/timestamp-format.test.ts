import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { readTables } from '#src/database/table.js';
import { detectFormat } from '#src/init/timestamp-format.js';

function detect(values: unknown[], create = 'CREATE TABLE t(id INTEGER PRIMARY KEY, at)') {
  const database = new BetterSqlite3(':memory:');
  database.exec(create);
  const insert = database.prepare('INSERT INTO t(id, at) VALUES (?, ?)');
  values.forEach((value, index) => insert.run(index, value));
  const [table] = readTables(database);
  return detectFormat(database, table!, 'at');
}

describe('detectFormat', () => {
  it('tells the format of what is there', () => {
    expect(detect([1704326400000, 1704326400001n]).format).to.equal('unix_ms');
    expect(detect([1704326400, '1704326400.5']).format).to.equal('unix_s');
    expect(detect(['2025-11-12 10:00:00', '2025-11-12']).format).to.equal('iso8601');
    expect(detect([2460313.5]).format).to.equal('julian');
  });

  it('says auto where there is nothing, several formats or one without a name', () => {
    expect(detect([])).to.deep.equal({ format: 'auto', sampled: 0, unreadable: 0 });
    expect(detect([1704326400000, '2025-11-12']).format).to.equal('auto');
    expect(detect([1704326400000000]).format).to.equal('auto');
  });

  it('passes over what stands for no time, and counts what is none', () => {
    expect(detect([null, '', 0, 1704326400000])).to.deep.equal({
      format: 'unix_ms',
      sampled: 1,
      unreadable: 0,
    });
    expect(detect(['never', 1704326400000])).to.deep.equal({ format: 'unix_ms', sampled: 2, unreadable: 1 });
  });

  it('looks at both ends of a large table, and no further', () => {
    const old = Array<string>(600).fill('2020-01-01');
    const recent = Array<number>(600).fill(1704326400000);
    expect(detect([...old, ...recent])).to.deep.equal({ format: 'auto', sampled: 1000, unreadable: 0 });
  });

  it('works on tables without a rowid, and on those that hide it', () => {
    const hidden = 'CREATE TABLE t(id TEXT PRIMARY KEY, at, rowid, _rowid_, oid)';
    expect(detect([1704326400], 'CREATE TABLE t(id PRIMARY KEY, at) WITHOUT ROWID').format).to.equal(
      'unix_s',
    );
    expect(detect([1704326400], hidden).format).to.equal('unix_s');
  });
});
