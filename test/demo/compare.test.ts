import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { compareReplicas, type Comparison } from '#src/demo/compare.js';

const SCHEMA = 'CREATE TABLE notes (user_id TEXT, note_id INTEGER, body, PRIMARY KEY (user_id, note_id))';

describe('the comparison of the demo', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'compare-'))));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Makes a file with these values for `body` (SQL), one row each. */
  function file(name: string, bodies: readonly string[], schema = SCHEMA): string {
    const path = join(folder, `${name}.db`);
    rmSync(path, { force: true });
    const database = new BetterSqlite3(path);
    database.exec(schema);
    bodies.forEach((body, index) => database.exec(`INSERT INTO notes VALUES ('ann', ${index}, ${body})`));
    database.close();
    return path;
  }

  function compare(left: readonly string[], right: readonly string[]): Comparison {
    const replicas = [
      { name: 'left', file: file('left', left) },
      { name: 'right', file: file('right', right) },
    ];
    return compareReplicas(replicas, ['notes']);
  }

  it('finds files equal that hold the same rows in another order', () => {
    const shuffled = file('shuffled', []);
    const database = new BetterSqlite3(shuffled);
    database.exec("INSERT INTO notes VALUES ('ann', 1, x'00ff'), ('ann', 0, 'a')");
    database.close();
    const { differences, rows, sha256 } = compareReplicas(
      [
        { name: 'left', file: file('left', ["'a'", "x'00ff'"]) },
        { name: 'shuffled', file: shuffled },
      ],
      ['notes'],
    );
    expect(differences).to.deep.equal([]);
    expect(rows.get('notes')).to.equal(2);
    expect(sha256.get('left')).to.equal(sha256.get('shuffled'));
  });

  const alike: readonly (readonly [title: string, left: string, right: string])[] = [
    ['an integer and a real of the same value', '1', '1.0'],
    ['a text and an integer that look alike', "'1'", '1'],
    ['a text and a blob of the same bytes', "'abc'", "x'616263'"],
    ['an empty text and NULL', "''", 'NULL'],
    ['integers that a double can not tell apart', '9007199254740993', '9007199254740992'],
    ['reals that differ in the last bit', '0.1', '0.1 + 1.4e-17'],
    ['texts that differ after a zero byte', "'a' || char(0) || 'b'", "'a' || char(0) || 'c'"],
    ['texts that are not UTF-8', "CAST(x'ff' AS TEXT)", "CAST(x'fe' AS TEXT)"],
    ['a text and the replacement character it decodes to', "CAST(x'ff' AS TEXT)", 'char(65533)'],
  ];
  for (const [title, left, right] of alike) {
    it(`tells apart ${title}`, () => {
      const { differences, sha256 } = compare(["'same'", left], ["'same'", right]);
      expect(differences).to.have.length(1);
      expect(differences[0]).to.include({ table: 'notes', column: 'body' });
      expect(sha256.get('left')).to.not.equal(sha256.get('right'));
    });
  }

  it('names the key, the column and both values', () => {
    expect(compare(['1'], ['1.0']).differences).to.deep.equal([
      {
        table: 'notes',
        key: 'text "ann" integer 0',
        column: 'body',
        values: [
          ['left', 'integer 1'],
          ['right', 'real 1'],
        ],
      },
    ]);
  });

  it('names a row that only one of them has', () => {
    const [difference] = compare(['1', '2'], ['1']).differences;
    expect(difference?.key).to.equal('text "ann" integer 1');
    expect(difference?.values).to.deep.equal([
      ['left', 'the row'],
      ['right', 'no such row'],
    ]);
  });

  it('finds tables different whose columns are', () => {
    const other = 'CREATE TABLE notes (user_id TEXT, note_id INTEGER, text, PRIMARY KEY (user_id, note_id))';
    const replicas = [
      { name: 'left', file: file('left', []) },
      { name: 'right', file: file('right', [], other) },
    ];
    const [difference] = compareReplicas(replicas, ['notes']).differences;
    expect(difference?.key).to.equal(null);
  });

  it('compares every replica with the first, not only two', () => {
    const replicas = ['one', 'two', 'three'].map((name, index) => ({
      name,
      file: file(name, [index === 2 ? '1.0' : '1']),
    }));
    expect(compareReplicas(replicas, ['notes']).differences).to.have.length(1);
  });
});
