import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { prepared } from '#src/database/prepared.js';
import { statement } from '#src/sql/template.js';
import { scratchFolder } from '../scratch.js';

describe('a statement that is prepared once', () => {
  it('is one per connection, and goes on after the schema has changed', () => {
    const file = join(scratchFolder(), 'app.db');
    const [one, other] = [new BetterSqlite3(file), new BetterSqlite3(file)];
    one.exec('CREATE TABLE _sync_marks (log_id INTEGER PRIMARY KEY, mark TEXT)');
    const sql = statement('changelog/newest-mark');
    const found = prepared(one, sql);
    expect(found.get()).to.equal(undefined);
    one.exec("ALTER TABLE _sync_marks ADD COLUMN more; INSERT INTO _sync_marks VALUES (1, 'a', 2)");
    expect(prepared(one, sql)).to.equal(found);
    expect(found.get()).to.deep.include({ mark: 'a' });
    expect(prepared(other, sql)).not.to.equal(found);
    one.close();
    other.close();
  });
});
