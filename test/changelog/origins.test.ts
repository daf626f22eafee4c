import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';
import { Origins } from '#src/changelog/origins.js';

describe('the numbers of origins', () => {
  let database: Database;
  beforeEach(() => {
    database = new BetterSqlite3(':memory:');
    database.exec('CREATE TABLE _sync_origins (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)');
  });
  afterEach(() => database.close());

  it('stay as they were given, whoever gave them', () => {
    const [ours, others] = [new Origins(database), new Origins(database)];
    const id = ours.idOf('ann@a0');
    expect(others.knownId('ann@a0')).to.equal(id);
    expect(others.nameOf(id)).to.equal('ann@a0');
    expect(others.knownId('bob@b0')).to.equal(undefined);
    expect(ours.idOf('bob@b0')).to.equal(others.idOf('bob@b0')).and.not.to.equal(id);
    expect(() => ours.nameOf(99)).to.throw(TypeError, 'Expected origin 99');
  });

  it('are forgotten where the transaction that gave them was rolled back', () => {
    const origins = new Origins(database);
    database.exec('BEGIN');
    origins.idOf('ann@a0');
    database.exec('ROLLBACK');
    origins.forget();
    expect(origins.knownId('ann@a0')).to.equal(undefined);
    origins.idOf('bob@b0');
    expect(database.prepare('SELECT name FROM _sync_origins').pluck().all()).to.deep.equal(['bob@b0']);
  });

  it('cost a new origin no look at all the others: a page may name thousands', () => {
    const rows = countRows(database);
    const origins = new Origins(database);
    for (let index = 0; index < 100; index += 1) origins.idOf(`ann@${index.toString(16)}`);
    expect(rows.read).to.be.at.most(100);
  });
});

/** Counts the rows that the statements of this connection give out from now on. */
function countRows(database: Database): { read: number } {
  const counted = { read: 0 };
  const prepare = database.prepare.bind(database);
  database.prepare = (sql: string) => {
    const made = prepare(sql);
    const [get, iterate] = [made.get.bind(made), made.iterate.bind(made)];
    made.get = (...bound: unknown[]) => {
      const row = get(...bound);
      if (row !== undefined) counted.read += 1;
      return row;
    };
    made.iterate = function* (...bound: unknown[]) {
      for (const row of iterate(...bound)) {
        counted.read += 1;
        yield row;
      }
    };
    return made as never;
  };
  return counted;
}
