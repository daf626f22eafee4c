import { expect } from 'chai';
import { RawText, type SqlValue } from '#src/wire/value.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { python, shell } from './foreign-writers.js';
import { Pair } from './replicas.js';

withPrograms(['python3', 'sqlite3'], () => {
  describe('keys', () => {
    let pair: Pair;
    afterEach(() => pair.close());

    async function table(definition: string, entry: object = {}): Promise<void> {
      pair = await Pair.create({
        schema: `CREATE TABLE things ${definition}`,
        tables: [{ name: 'things', ...entry }],
      });
    }

    function types(): unknown[] {
      return pair.bob.values(`SELECT typeof(id) || ' ' || quote(id) || ' ' || body FROM things ORDER BY 1`);
    }

    describe('that change', () => {
      it('leave no row behind: a delete of the old key and an insert of the new', async () => {
        await table('(id TEXT PRIMARY KEY, body)');
        python(pair.ann.file, `INSERT INTO things VALUES ('a', 1), ('b', 2), ('c', 3)`);
        await pair.converge('things');
        python(pair.ann.file, `UPDATE things SET id = 'x' || id, body = body * 10 WHERE id <> 'b'`);
        await pair.converge('things');
        expect(pair.bob.values('SELECT id FROM things ORDER BY id')).to.deep.equal(['b', 'xa', 'xc']);
      });

      it('may take the place of another row, by UPDATE OR REPLACE', async () => {
        await table('(id TEXT PRIMARY KEY, body)');
        python(pair.ann.file, `INSERT INTO things VALUES ('a', 1), ('b', 2)`);
        await pair.converge('things');
        shell(pair.ann.file, `UPDATE OR REPLACE things SET id = 'b' WHERE id = 'a';`);
        await pair.converge('things');
        expect(types()).to.deep.equal([`text 'b' 1`]);
      });

      it('may swap with each other in one transaction', async () => {
        await table('(id TEXT PRIMARY KEY, body)');
        python(pair.ann.file, `INSERT INTO things VALUES ('a', 'of a'), ('b', 'of b')`);
        await pair.converge('things');
        python(
          pair.ann.file,
          'BEGIN',
          `UPDATE things SET id = 'tmp' WHERE id = 'a'`,
          `UPDATE things SET id = 'a' WHERE id = 'b'`,
          `UPDATE things SET id = 'b' WHERE id = 'tmp'`,
          'COMMIT',
        );
        await pair.converge('things');
        expect(types()).to.deep.equal([`text 'a' of b`, `text 'b' of a`]);
      });

      it('all at once, each to the key of its neighbour', async () => {
        await table('(a TEXT, b INTEGER, body, PRIMARY KEY (a, b)) WITHOUT ROWID');
        const many = Array.from({ length: 30 }, (_, index): SqlValue[] => [
          'k',
          BigInt(index),
          BigInt(index),
        ]);
        python(pair.ann.file, { sql: 'INSERT INTO things VALUES (?, ?, ?)', many });
        await pair.converge('things');
        python(pair.ann.file, 'UPDATE things SET b = -b - 1', 'UPDATE things SET b = -b');
        await pair.converge('things');
      });

      it('by another name for the row number than the column of the key', async () => {
        await table('(id INTEGER PRIMARY KEY, body)', { allow_integer_key: true });
        python(pair.ann.file, `INSERT INTO things VALUES (1, 'a'), (2, 'b'), (3, 'c')`);
        await pair.converge('things');
        python(
          pair.ann.file,
          'UPDATE things SET rowid = 11 WHERE id = 1',
          'UPDATE things SET _rowid_ = 12 WHERE id = 2',
          'UPDATE things SET oid = 13 WHERE id = 3',
        );
        await pair.converge('things');
        expect(pair.bob.values('SELECT id FROM things ORDER BY id')).to.deep.equal([11, 12, 13]);
      });

      it('by an UPSERT, by a pair of columns, and by the cascade of a foreign key', async () => {
        pair = await Pair.create({
          schema: `CREATE TABLE authors (id TEXT PRIMARY KEY, name);
            CREATE TABLE books (author TEXT REFERENCES authors (id) ON UPDATE CASCADE, n INTEGER, title,
              PRIMARY KEY (author, n))`,
        });
        python(
          pair.ann.file,
          `INSERT INTO authors VALUES ('a', 'Ann'), ('b', 'Bob'), ('c', 'Cid')`,
          `INSERT INTO books VALUES ('a', 1, 'one'), ('b', 1, 'other'), ('c', 1, 'third')`,
        );
        await pair.converge('authors', 'books');
        python(
          pair.ann.file,
          'PRAGMA foreign_keys = ON',
          `INSERT INTO authors VALUES ('a', 'Ann') ON CONFLICT (id) DO UPDATE SET id = 'x'`,
          `UPDATE authors SET (id, name) = ('y', 'Bea') WHERE id = 'b'`,
          `UPDATE books SET "N" = 2 WHERE author = 'c'`,
        );
        await pair.converge('authors', 'books');
        expect(pair.bob.values('SELECT author || n FROM books ORDER BY 1')).to.deep.equal(['c2', 'x1', 'y1']);
      });

      for (const [collation, one, other] of [
        ['NOCASE', 'abc', 'ABC'],
        ['RTRIM', 'abc', 'abc  '],
      ] as const) {
        it(`only in what ${collation} overlooks, which OLD.id IS NOT NEW.id misses`, async () => {
          await table(`(id TEXT COLLATE ${collation} PRIMARY KEY, body)`);
          python(pair.ann.file, `INSERT INTO things VALUES ('${one}', 1), ('other', 2)`);
          await pair.converge('things');
          shell(pair.ann.file, `UPDATE things SET id = '${other}' WHERE id = '${one}';`);
          await pair.converge('things');
          expect(types()).to.include(`text '${other}' 1`);
          python(pair.ann.file, `REPLACE INTO things VALUES ('${one}', 3)`);
          await pair.converge('things');
          expect(types()).to.include(`text '${one}' 3`).and.to.have.length(2);
          python(pair.ann.file, `DELETE FROM things WHERE id = '${other}'`);
          await pair.converge('things');
          expect(types()).to.have.length(1);
        });
      }
    });

    describe('of no declared type', () => {
      const KINDS = [
        '(id PRIMARY KEY, body)',
        '(id PRIMARY KEY, body) WITHOUT ROWID',
        '(id ANY PRIMARY KEY, body ANY) STRICT',
      ];
      for (const definition of KINDS) {
        it(`tell 1 from '1' and keep the type of each: ${definition}`, async () => {
          await table(definition);
          const keys: SqlValue[] = [
            1n,
            '1',
            Buffer.from('1'),
            1.5,
            '1.5',
            -1e300,
            9_223_372_036_854_775_807n,
            -9_223_372_036_854_775_808n,
            9_007_199_254_740_993n,
            2,
            Infinity,
            '',
            Buffer.alloc(0),
            'nul\0inside',
            'nul',
          ];
          python(pair.ann.file, {
            sql: 'INSERT INTO things VALUES (?, ?)',
            many: keys.map((key, index) => [key, BigInt(index)]),
          });
          await pair.converge('things');
          expect(pair.bob.values('SELECT count(*) FROM things')).to.deep.equal([keys.length]);
          python(
            pair.ann.file,
            `UPDATE things SET body = body + 100`,
            `DELETE FROM things WHERE body % 3 = 0`,
          );
          await pair.converge('things');
        });

        it(`follow a key from 1 to 1.0 in place, which is no other key to SQLite: ${definition}`, async () => {
          await table(definition);
          python(pair.ann.file, `INSERT INTO things VALUES (1, 'one'), (0, 'zero'), ('t', 'text')`);
          await pair.converge('things');
          python(pair.ann.file, {
            sql: `UPDATE things SET id = ? WHERE id = ?`,
            many: [
              [1, 1n],
              [-0, 0n],
            ],
          });
          await pair.converge('things');
          expect(types().slice(0, 2)).to.deep.equal(['real 0.0 zero', 'real 1.0 one']);
          python(pair.ann.file, `REPLACE INTO things VALUES (1, 'again')`);
          await pair.converge('things');
          expect(types()).to.include('integer 1 again');
        });

        it(`settle on one of 1 and 1.0 that two replicas chose: ${definition}`, async () => {
          await table(definition);
          python(pair.ann.file, `INSERT INTO things VALUES (1, 'ann')`);
          shell(pair.bob.file, `INSERT INTO things VALUES (1.0, 'bob');`);
          await pair.converge('things');
          expect(pair.ann.values('SELECT count(*) FROM things')).to.deep.equal([1]);
        });
      }
    });

    it('that are not UTF-8 travel byte for byte, and are not mistaken for each other', async () => {
      await table('(id TEXT PRIMARY KEY, body)');
      const keys = ['ff', 'fe', 'efbfbd', '610062', 'eda080', 'c080', '80'];
      shell(
        pair.ann.file,
        keys.map((hex) => `INSERT INTO things VALUES (CAST(x'${hex}' AS TEXT), '${hex}');`).join('\n'),
      );
      await pair.converge('things');
      expect(pair.bob.values('SELECT lower(hex(id)) = body FROM things')).to.deep.equal(keys.map(() => 1));
      shell(
        pair.ann.file,
        `DELETE FROM things WHERE body = 'ff'; UPDATE things SET body = '!' WHERE body = 'fe';`,
      );
      await pair.converge('things');
      const exact = { sql: 'UPDATE things SET id = CAST(? AS TEXT) WHERE id = CAST(? AS TEXT)' };
      const bytes = [Buffer.from('fd', 'hex'), new RawText(Buffer.from('80', 'hex')).bytes];
      python(pair.ann.file, { ...exact, values: bytes });
      await pair.converge('things');
      expect(pair.bob.values(`SELECT hex(id) FROM things WHERE body = '80'`)).to.deep.equal(['FD']);
    });

    it('of several columns keep the type of each, in the order of the key', async () => {
      await table('(body, c, b, a, PRIMARY KEY (a, b, c))');
      python(pair.ann.file, {
        sql: 'INSERT INTO things (a, b, c, body) VALUES (?, ?, ?, ?)',
        many: [
          [1n, '1', Buffer.from('1'), 'one'],
          ['1', 1n, Buffer.from('1'), 'two'],
          [Buffer.from('1'), '1', 1n, 'three'],
          ['a,b', 'c', '', 'four'],
          ['a', 'b,c', '', 'five'],
        ],
      });
      await pair.converge('things');
      python(
        pair.ann.file,
        `DELETE FROM things WHERE typeof(a) = 'text' AND typeof(b) = 'integer'`,
        `UPDATE things SET c = 'x' WHERE a = 'a'`,
      );
      await pair.converge('things');
      expect(pair.bob.values('SELECT body FROM things ORDER BY body')).to.deep.equal([
        'five',
        'four',
        'one',
        'three',
      ]);
    });

    it('that are all the columns there are', async () => {
      await table('(a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID');
      python(pair.ann.file, `INSERT INTO things VALUES ('x', 'y'), ('x', 'z')`);
      await pair.converge('things');
      python(pair.ann.file, `DELETE FROM things WHERE b = 'y'`, `REPLACE INTO things VALUES ('x', 'z')`);
      await pair.converge('things');
    });

    it('chosen by the configuration: a unique index beside a row number that each replica gives itself', async () => {
      await table('(n INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, body)', {
        primary_key: 'uid',
        exclude_columns: ['n'],
      });
      python(pair.ann.file, `INSERT INTO things (uid, body) VALUES ('a', 1), ('b', 2)`);
      shell(pair.bob.file, `INSERT INTO things (uid, body) VALUES ('c', 3), ('d', 4), ('e', 5);`);
      await pair.settle();
      const content = 'SELECT uid, body FROM things ORDER BY uid';
      expect(pair.bob.rows(content)).to.deep.equal(pair.ann.rows(content)).and.to.have.length(5);
      expect(pair.ann.held).to.deep.equal([]);
    });

    it('INTEGER PRIMARY KEY, which two replicas allocate alike, where the owner allows it: one row wins', async () => {
      await table('(id INTEGER PRIMARY KEY AUTOINCREMENT, body)', { allow_integer_key: true });
      python(pair.ann.file, `INSERT INTO things (body) VALUES ('of ann'), ('of ann too')`);
      shell(
        pair.bob.file,
        `INSERT INTO things (body) VALUES ('of bob'); INSERT INTO things VALUES (1000, 'far');`,
      );
      await pair.converge('things');
      expect(pair.ann.values('SELECT id FROM things')).to.deep.equal([1, 2, 1000]);
      // one of them met the other's row and kept what lost
      const [here, there] = [pair.ann, pair.bob].map((one) =>
        one.values('SELECT loser FROM _sync_conflicts'),
      );
      expect([...(here ?? []), ...(there ?? [])]).not.to.deep.equal([]);
      python(pair.ann.file, `INSERT INTO things (body) VALUES ('after a remote row raised AUTOINCREMENT')`);
      await pair.converge('things');
      expect(pair.bob.values('SELECT max(id) FROM things')).to.deep.equal([1001]);
    });

    it('NULL, which SQLite lets into a key after migrate: those rows stay here and disturb nobody', async () => {
      await table('(id TEXT PRIMARY KEY, body)');
      python(pair.ann.file, `INSERT INTO things VALUES (NULL, 1), ('a', 2), (NULL, 3)`);
      await pair.settle();
      expect(types()).to.deep.equal([`text 'a' 2`]);
      python(
        pair.ann.file,
        `UPDATE things SET id = 'b' WHERE body = 1`,
        `UPDATE things SET id = NULL WHERE id = 'a'`,
      );
      await pair.settle();
      expect(types()).to.deep.equal([`text 'b' 1`]);
      await pair.expectQuiet();
    });

    it('that go and come back: delete and insert again, over and over, on both sides', async () => {
      await table('(id TEXT PRIMARY KEY, body)');
      for (let round = 0; round < 4; round += 1) {
        python(pair.ann.file, `INSERT INTO things VALUES ('a', ${round})`);
        await pair.converge('things');
        shell(pair.bob.file, `DELETE FROM things;`);
        await pair.converge('things');
      }
      python(pair.ann.file, 'BEGIN', `INSERT INTO things VALUES ('a', 'x')`, `DELETE FROM things`, 'COMMIT');
      await pair.converge('things');
      expect(types()).to.deep.equal([]);
    });
  });
});
