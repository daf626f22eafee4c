import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { loadConfig } from '#src/config/load.js';
import { checkTables } from '#src/database/check-tables.js';
import { scratchFile } from '../scratch.js';
import { thrownBy } from '../thrown.js';

const SCHEMA = `
  CREATE TABLE words(id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER, deleted_at INTEGER,
    must TEXT NOT NULL, secret TEXT NOT NULL DEFAULT '');
  CREATE TABLE posts(id TEXT PRIMARY KEY);
  CREATE TABLE numbered(id INTEGER PRIMARY KEY);
  CREATE TABLE loose(a, b);
  CREATE VIEW seen AS SELECT * FROM words;
  CREATE VIRTUAL TABLE found USING fts5(english);
`;

function check(tables: string) {
  const file = scratchFile(`node: { id: a }\ndatabase: { path: x }\ntables:\n${tables}`);
  const database = new BetterSqlite3(':memory:');
  database.exec(SCHEMA);
  return checkTables(loadConfig(file, {}), database);
}

function refusal(tables: string): string {
  const error = thrownBy(() => check(tables));
  expect(error.code).to.equal('config_invalid');
  expect(error.exitCode).to.equal(2);
  return error.message;
}

describe('checkTables', () => {
  it('joins configured tables with the schema, names compared without case', () => {
    const [words, posts] = check(
      '- { name: WORDS, timestamp_column: Updated_At, exclude_columns: [SECRET] }\n- { name: posts }\n',
    );
    expect(words?.name).to.equal('words');
    expect(words?.columns).to.deep.equal(['id', 'english', 'updated_at', 'deleted_at', 'must']);
    expect(posts?.key.map((column) => column.name)).to.deep.equal(['id']);
  });

  it('names a table or column that does not exist, and the nearest that does', () => {
    expect(refusal('- { name: word }')).to.contain(
      'tables[0].name: no such table "word"; did you mean "words"?',
    );
    expect(refusal('- { name: words }\n- { name: posts, timestamp_column: updated_at }')).to.contain(
      'tables[1].timestamp_column: no such column "updated_at" in table "posts"',
    );
    expect(refusal('- { name: words, soft_delete_column: delted_at }')).to.contain(
      'tables[0].soft_delete_column: no such column "delted_at" in table "words"; did you mean "deleted_at"?',
    );
    expect(refusal('- { name: words, exclude_columns: [english, nothing] }')).to.contain(
      'tables[0].exclude_columns[1]: no such column "nothing"',
    );
  });

  it('says why a table cannot be replicated, and what to do', () => {
    expect(refusal('- { name: seen }')).to.contain('tables[0]: table "seen" is a view. Replicate the tables');
    expect(refusal('- { name: found }')).to.contain('is a virtual table');
    expect(refusal('- { name: found_data }')).to.contain('shadow table');
    expect(refusal('- { name: loose }')).to.contain('has no primary key');
    expect(refusal('- { name: numbered }'))
      .to.contain('INTEGER PRIMARY KEY')
      .and.to.contain('allow_integer_key');
    expect(check('- { name: numbered, allow_integer_key: true }')).to.have.length(1);
  });

  it('refuses to exclude what must cross', () => {
    expect(refusal('- { name: words, exclude_columns: [ID] }')).to.contain('column "id" is part of the key');
    expect(refusal('- { name: words, exclude_columns: [must] }')).to.contain('NOT NULL without a default');
    expect(
      refusal('- { name: words, timestamp_column: updated_at, exclude_columns: [updated_at] }'),
    ).to.contain('tables[0].timestamp_column: column "updated_at" must cross');
  });

  it('lists everything at once', () => {
    const message = refusal('- { name: nothing }\n- { name: loose }\n- { name: words, timestamp_column: x }');
    expect(message).to.contain('3 faults');
  });
});
