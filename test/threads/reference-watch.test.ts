import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';
import { openChangelog, type Changelog } from '#src/changelog/changelog.js';
import { toReplicatedTable } from '#src/database/replicable.js';
import { readTables } from '#src/database/table.js';
import { ReferenceWatch } from '#src/threads/reference-watch.js';
import { tableConfig } from '../replication/quick-replica.js';
import { scratchFolder } from '../scratch.js';

const DANGLING = `PRAGMA foreign_keys = OFF; INSERT INTO books VALUES ('a', 'nobody')`;

describe('What is known of dangling references', () => {
  let app: Database;
  let database: Database;
  let changelog: Changelog;
  let watch: ReferenceWatch;
  /** Each asking takes 100 ms: a look is over that much after it began. */
  let nowMs = 0;

  beforeEach(() => {
    const file = `${scratchFolder()}/app.db`;
    app = new BetterSqlite3(file);
    app.exec(`CREATE TABLE authors (id TEXT PRIMARY KEY);
      CREATE TABLE books (id TEXT PRIMARY KEY, author TEXT REFERENCES authors)`);
    database = new BetterSqlite3(file, { readonly: true });
    changelog = openChangelog(
      database,
      readTables(database).map((table) => toReplicatedTable(table, tableConfig(table.name))),
    );
    nowMs = 0;
    watch = new ReferenceWatch(database, () => {
      const now = nowMs;
      nowMs += 100;
      return now;
    });
  });
  afterEach(() => {
    database.close();
    app.close();
  });

  const rows = () => watch.current(changelog).map((reference) => reference.rows);

  it('is not looked up again before something was written', () => {
    app.exec(DANGLING);
    expect(rows()).to.deep.equal([1]);
    nowMs = 1e9;
    expect(rows()).to.deep.equal([1]);
    expect(nowMs, 'asked for the time once, not twice').to.equal(1e9 + 100);
  });

  it('waits 50 times as long as a look took before it looks again', () => {
    expect(rows()).to.deep.equal([]);
    app.exec(DANGLING);
    nowMs = 5_099;
    expect(rows(), 'too early').to.deep.equal([]);
    nowMs = 5_100;
    expect(rows(), 'when the time has passed').to.deep.equal([1]);
  });
});
