import { expect } from 'chai';
import { withPrograms } from '../replication/foreign-programs.js';
import { python, shell } from './foreign-writers.js';
import { Pair, quoted } from './replicas.js';

/** Names that break SQL, JavaScript objects or templates which are put together carelessly. */
const NAMES = [
  'order',
  'select from',
  `O'Brien's`,
  'the "quoted" one',
  '`ticks` and [brackets]',
  '日本語 テーブル',
  'emoji 👩‍👩‍👧 🗃️',
  'Straße',
  'semi;colon -- comment /* open',
  '{{table}}',
  '$1 $& :v1 ?1 @x',
  '__proto__',
  'constructor',
  'toString',
  '1',
  'new.id',
  'rowid',
  ' leading and trailing ',
  'tab\tand\nline',
  'a,b',
  'x'.repeat(300),
];

/** SQLite takes these for a table, but they mean something else there. */
const TABLE_NAMES = NAMES.filter((name) => name !== 'rowid');

withPrograms(['python3', 'sqlite3'], () => {
  describe('names', () => {
    let pair: Pair;
    afterEach(() => pair?.close());

    it('of tables with quotes, spaces, keywords, emoji, and what templates and objects trip over', async () => {
      const create = (name: string): string =>
        `CREATE TABLE ${quoted(name)} (id TEXT PRIMARY KEY, body UNIQUE);`;
      pair = await Pair.create({ schema: TABLE_NAMES.map(create).join('\n') });
      const insert = (name: string): string => `INSERT INTO ${quoted(name)} VALUES ('a', 1), ('b', 2)`;
      python(pair.ann.file, ...TABLE_NAMES.map(insert));
      await pair.converge(...TABLE_NAMES);
      python(
        pair.ann.file,
        ...TABLE_NAMES.flatMap((name) => [
          `REPLACE INTO ${quoted(name)} VALUES ('c', 1)`,
          `UPDATE ${quoted(name)} SET id = 'd' WHERE id = 'b'`,
        ]),
      );
      await pair.converge(...TABLE_NAMES);
      for (const name of TABLE_NAMES) {
        expect(pair.bob.values(`SELECT id FROM ${quoted(name)} ORDER BY id`), name).to.deep.equal(['c', 'd']);
      }
    });

    it('of columns, also in the key, with the same', async () => {
      const columns = NAMES.map((name) => `${quoted(name)} TEXT`).join(', ');
      const keys = NAMES.slice(0, 8).map(quoted).join(', ');
      pair = await Pair.create({
        schema: `CREATE TABLE wide (${columns}, PRIMARY KEY (${keys}));
          CREATE TABLE one (${columns}, PRIMARY KEY (${quoted('__proto__')})) WITHOUT ROWID`,
      });
      const marks = NAMES.map(() => '?').join(', ');
      const rows = ['a', 'b'].map((row) => NAMES.map((_, index) => `${row} ${index}`));
      for (const table of ['wide', 'one']) {
        python(pair.ann.file, { sql: `INSERT INTO ${table} VALUES (${marks})`, many: rows });
      }
      await pair.converge('wide', 'one');
      const changes = NAMES.map((name, index) => `${quoted(name)} = 'changed ${index}'`).join(', ');
      for (const table of ['wide', 'one']) {
        shell(
          pair.ann.file,
          `UPDATE ${table} SET ${changes} WHERE "__proto__" LIKE 'a%'; DELETE FROM ${table} WHERE "order" LIKE 'b%';`,
        );
      }
      await pair.converge('wide', 'one');
      expect(pair.bob.values('SELECT "__proto__" FROM wide')).to.deep.equal(['changed 11']);
    });

    it('of the timestamp, soft-delete and excluded columns, written in another letter case', async () => {
      pair = await Pair.create({
        schema: `CREATE TABLE "Order" ("the Key" TEXT PRIMARY KEY, "updated At" INTEGER, "gone?" INTEGER, "l'ocal" TEXT)`,
        tables: [
          {
            name: 'ORDER',
            primary_key: 'THE KEY',
            timestamp_column: 'UPDATED AT',
            soft_delete_column: 'GONE?',
            exclude_columns: [`L'OCAL`],
          },
        ],
      });
      python(pair.ann.file, `INSERT INTO "Order" VALUES ('a', 5000, 0, 'mine'), ('b', 6000, 1, 'mine')`);
      await pair.settle();
      expect(pair.bob.rows('SELECT * FROM "Order" ORDER BY 1')).to.deep.equal([
        { 'the Key': 'a', 'updated At': 5000, 'gone?': 0, "l'ocal": null },
        { 'the Key': 'b', 'updated At': 6000, 'gone?': 1, "l'ocal": null },
      ]);
      expect(
        pair.bob.values(`SELECT operation || ' ' || timestamp FROM _sync_changes ORDER BY record_id`),
      ).to.deep.equal(['INSERT 5000000', 'DELETE 6000000']);
      await pair.expectQuiet();
    });
  });

  describe('kinds of tables', () => {
    let pair: Pair;
    afterEach(() => pair.close());

    it('WITHOUT ROWID, which has no rowid, and STRICT', async () => {
      pair = await Pair.create({
        schema: `
          CREATE TABLE bare (a TEXT, b BLOB, c, PRIMARY KEY (b, a)) WITHOUT ROWID;
          CREATE TABLE strict (id TEXT PRIMARY KEY, i INT, r REAL, t TEXT, b BLOB, a ANY) STRICT, WITHOUT ROWID;
          CREATE TABLE strict_rowid (id BLOB PRIMARY KEY, i INTEGER) STRICT`,
      });
      python(
        pair.ann.file,
        `INSERT INTO bare VALUES ('x', x'00', 1), ('x', x'01', 1.0), ('y', x'00', '1')`,
        `INSERT INTO strict VALUES ('a', 1, 1, 't', x'00', 1), ('b', NULL, 0.1, NULL, NULL, 1.0), ('c', 1.0, 1, 1, x'', '1')`,
        `INSERT INTO strict_rowid VALUES (x'00', 1), (x'01', 2), (x'', 3)`,
      );
      await pair.converge('bare', 'strict', 'strict_rowid');
      shell(
        pair.ann.file,
        `UPDATE bare SET c = 2 WHERE b = x'00'; DELETE FROM bare WHERE b = x'01'; REPLACE INTO bare VALUES ('y', x'00', 3);
         UPDATE strict SET a = x'00', r = 5; DELETE FROM strict_rowid WHERE id = x'';`,
      );
      await pair.converge('bare', 'strict', 'strict_rowid');
    });

    it('with generated columns, virtual and stored, which can not be written', async () => {
      pair = await Pair.create({
        schema: `
          CREATE TABLE lines (
            id TEXT PRIMARY KEY, price REAL, amount INTEGER,
            total REAL AS (price * amount), label TEXT GENERATED ALWAYS AS (id || ':' || amount) STORED,
            again AS (total || label), note TEXT);
          CREATE INDEX lines_total ON lines (total)`,
      });
      python(
        pair.ann.file,
        `INSERT INTO lines (id, price, amount, note) VALUES ('a', 1.5, 2, 'x'), ('b', 0.1, 3, NULL)`,
      );
      await pair.converge('lines');
      shell(pair.ann.file, `UPDATE lines SET amount = amount + 1, id = id || '!';`);
      await pair.converge('lines');
      expect(pair.bob.values('SELECT again FROM lines ORDER BY total DESC')).to.deep.equal([
        '4.5a!:3',
        '0.4b!:4',
      ]);
    });

    it('with 100 columns and a BLOB in each, where json_object() would make the write fail', async () => {
      const columns = Array.from({ length: 100 }, (_, index) => `c${index}`);
      pair = await Pair.create({
        schema: `CREATE TABLE wide (id TEXT PRIMARY KEY, ${columns.join(', ')}, CHECK (id <> ''));`,
      });
      const marks = columns.map(() => '?').join(', ');
      python(pair.ann.file, {
        sql: `INSERT INTO wide VALUES (?, ${marks})`,
        many: ['a', 'b', 'c'].map((id) => [id, ...columns.map((_, index) => Buffer.from([index, 255]))]),
      });
      await pair.converge('wide');
      shell(
        pair.ann.file,
        `UPDATE wide SET c99 = x'ff', c0 = 1.0 WHERE id = 'b'; DELETE FROM wide WHERE id = 'a';`,
      );
      await pair.converge('wide');
    });

    it('with 1,000 columns', async () => {
      const columns = Array.from({ length: 999 }, (_, index) => `c${index}`);
      pair = await Pair.create({ schema: `CREATE TABLE wide (id TEXT PRIMARY KEY, ${columns.join(', ')})` });
      shell(
        pair.ann.file,
        `INSERT INTO wide (id, c5, c997) VALUES ('a', 1.0, x'00'), ('b', CAST(x'ff' AS TEXT), 1);`,
      );
      shell(pair.bob.file, `INSERT INTO wide (id, c5) VALUES ('a', 'other');`);
      await pair.converge('wide');
      shell(pair.ann.file, `UPDATE wide SET c996 = 'x'; DELETE FROM wide WHERE id = 'b';`);
      await pair.converge('wide');
    });

    it('without any declared types, or with types that SQLite has never heard of', async () => {
      pair = await Pair.create({
        schema: `
          CREATE TABLE loose (id PRIMARY KEY, a, b);
          CREATE TABLE odd (id uuid PRIMARY KEY, a "unsigned big int", b POINTER, c STRING, d "FLOATING POINT", e Foo(1, 2))`,
      });
      const values = `1, 1.0, '1', '01', '1e3', x'31', NULL`.split(', ');
      python(
        pair.ann.file,
        ...values.flatMap((value, index) => [
          `INSERT INTO loose VALUES ('k' || ${index}, ${value}, ${value})`,
          `INSERT INTO odd VALUES ('k' || ${index}, ${Array(5).fill(value).join(', ')})`,
        ]),
      );
      await pair.converge('loose', 'odd');
      shell(pair.ann.file, `UPDATE odd SET a = c, c = d, d = e; UPDATE loose SET a = b || '', b = 1.0;`);
      await pair.converge('loose', 'odd');
    });

    it('that a view shows: what an INSTEAD OF trigger writes beneath it travels', async () => {
      pair = await Pair.create({
        schema: `
          CREATE TABLE people (id TEXT PRIMARY KEY, first TEXT, last TEXT);
          CREATE VIEW names AS SELECT id, first || ' ' || last AS name FROM people;
          CREATE TRIGGER names_insert INSTEAD OF INSERT ON names BEGIN
            INSERT INTO people VALUES (NEW.id, substr(NEW.name, 1, instr(NEW.name, ' ') - 1),
              substr(NEW.name, instr(NEW.name, ' ') + 1));
          END`,
      });
      shell(pair.ann.file, `INSERT INTO names VALUES ('a', 'Ada Lovelace'), ('g', 'Grace Hopper');`);
      await pair.converge('people');
      expect(pair.bob.values('SELECT name FROM names ORDER BY id')).to.deep.equal([
        'Ada Lovelace',
        'Grace Hopper',
      ]);
    });
  });

  describe('virtual tables beside a replicated one', () => {
    let pair: Pair;
    afterEach(() => pair.close());

    it('FTS5 with external content: the search on the other replica finds what was written here', async () => {
      pair = await Pair.create({
        schema: `
          CREATE TABLE docs (id TEXT PRIMARY KEY, title TEXT, body TEXT);
          CREATE VIRTUAL TABLE found USING fts5(title, body, content='docs');
          CREATE TRIGGER docs_ai AFTER INSERT ON docs BEGIN
            INSERT INTO found (rowid, title, body) VALUES (NEW.rowid, NEW.title, NEW.body); END;
          CREATE TRIGGER docs_ad AFTER DELETE ON docs BEGIN
            INSERT INTO found (found, rowid, title, body) VALUES ('delete', OLD.rowid, OLD.title, OLD.body); END;
          CREATE TRIGGER docs_au AFTER UPDATE ON docs BEGIN
            INSERT INTO found (found, rowid, title, body) VALUES ('delete', OLD.rowid, OLD.title, OLD.body);
            INSERT INTO found (rowid, title, body) VALUES (NEW.rowid, NEW.title, NEW.body); END`,
        tables: [{ name: 'docs' }],
      });
      const search = (words: string): string =>
        `SELECT id FROM docs WHERE rowid IN (SELECT rowid FROM found WHERE found MATCH '${words}') ORDER BY id`;
      python(
        pair.ann.file,
        `INSERT INTO docs VALUES ('a', 'red apple', 'sweet'), ('b', 'banana', 'sweet'), ('c', 'lemon', 'sour')`,
      );
      shell(pair.bob.file, `INSERT INTO docs VALUES ('d', 'plum', 'sweet');`);
      await pair.converge('docs');
      expect(pair.bob.values(search('sweet'))).to.deep.equal(['a', 'b', 'd']);
      expect(pair.ann.values(search('plum'))).to.deep.equal(['d']);
      shell(
        pair.ann.file,
        `UPDATE docs SET body = 'mealy' WHERE id = 'a'; DELETE FROM docs WHERE id = 'b'; UPDATE docs SET id = 'l' WHERE id = 'c';`,
      );
      await pair.converge('docs');
      for (const replica of [pair.ann, pair.bob]) {
        expect(replica.values(search('sweet'))).to.deep.equal(['d']);
        expect(replica.values(search('mealy OR sour'))).to.deep.equal(['a', 'l']);
        replica.execute(`INSERT INTO found (found, rank) VALUES ('integrity-check', 1)`);
      }
    });

    it('R-Tree, kept by triggers: boxes written here are met there', async () => {
      pair = await Pair.create({
        schema: `
          CREATE TABLE places (id INTEGER PRIMARY KEY, name TEXT, x REAL, y REAL);
          CREATE VIRTUAL TABLE boxes USING rtree(id, x1, x2, y1, y2);
          CREATE TRIGGER places_ai AFTER INSERT ON places BEGIN
            INSERT INTO boxes VALUES (NEW.id, NEW.x, NEW.x, NEW.y, NEW.y); END;
          CREATE TRIGGER places_au AFTER UPDATE ON places BEGIN
            UPDATE boxes SET x1 = NEW.x, x2 = NEW.x, y1 = NEW.y, y2 = NEW.y WHERE id = OLD.id; END;
          CREATE TRIGGER places_ad AFTER DELETE ON places BEGIN DELETE FROM boxes WHERE id = OLD.id; END`,
        tables: [{ name: 'places', allow_integer_key: true }],
      });
      python(pair.ann.file, `INSERT INTO places VALUES (1, 'a', 1, 1), (2, 'b', 5, 5), (3, 'c', 9, 9)`);
      await pair.converge('places');
      shell(
        pair.bob.file,
        `UPDATE places SET x = 5.5, y = 4.5 WHERE id = 3; DELETE FROM places WHERE id = 2;`,
      );
      await pair.converge('places');
      for (const replica of [pair.ann, pair.bob]) {
        expect(replica.values('SELECT id FROM boxes WHERE x1 > 4 AND y1 > 4')).to.deep.equal([3]);
        expect(replica.values(`SELECT rtreecheck('boxes')`)).to.deep.equal(['ok']);
      }
    });
  });
});
