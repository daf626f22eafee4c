import { expect } from 'chai';
import { withPrograms } from '../replication/foreign-programs.js';
import { python, shell } from './foreign-writers.js';
import { Pair } from './replicas.js';

/** Rules by which another row's key can be evicted; `taken` says how the second row names what the first one has. */
const RULES: readonly { rule: string; columns: string; index?: string; taken?: (email: string) => string }[] =
  [
    { rule: 'a plain UNIQUE column', columns: 'email TEXT UNIQUE, x, y' },
    { rule: 'a UNIQUE index', columns: 'email TEXT, x, y', index: '(email)' },
    { rule: 'a composite UNIQUE constraint', columns: 'email TEXT, x, y, UNIQUE (x, email)' },
    { rule: 'UNIQUE under NOCASE', columns: 'email TEXT COLLATE NOCASE UNIQUE, x, y', taken: upper },
    {
      rule: 'an index that is NOCASE on a column that is not',
      columns: 'email TEXT, x, y',
      index: '(email COLLATE NOCASE DESC)',
      taken: upper,
    },
    {
      rule: 'UNIQUE under RTRIM',
      columns: 'email TEXT COLLATE RTRIM UNIQUE, x, y',
      taken: (email) => `${email}  `,
    },
    { rule: 'a partial UNIQUE index', columns: 'email TEXT, x, y', index: `(email) WHERE x = 'live'` },
    {
      rule: 'an expression index',
      columns: 'email TEXT, x, y',
      index: `(lower(trim("email", ' ')) COLLATE BINARY ASC, x)`,
      taken: (email) => ` ${upper(email)} `,
    },
    {
      rule: 'an expression index that is partial too',
      columns: 'email TEXT, x, "text" DEFAULT 1',
      index: `(substr(email, 1, 3), CAST(x AS TEXT)) WHERE x IS NOT NULL AND email NOT LIKE '%(ON)%'`,
      taken: (email) => `${email} with another end`,
    },
    {
      rule: 'a UNIQUE generated column',
      columns: 'email TEXT, x, y, folded TEXT GENERATED ALWAYS AS (lower(email)) STORED UNIQUE',
      taken: upper,
    },
    {
      rule: 'a unique index on a virtual generated column',
      columns: 'email TEXT, x, y, folded AS (upper(email))',
      index: '(folded)',
      taken: upper,
    },
  ];

/** Every way to say REPLACE: each takes the email of another row. */
const STATEMENTS = [
  (taken: string) => `INSERT OR REPLACE INTO users (id, email, x) VALUES ('new 1', '${taken}', 'live')`,
  (taken: string) => `REPLACE INTO users (id, email, x) VALUES ('new 2', '${taken}', 'live')`,
  (taken: string) => `UPDATE OR REPLACE users SET email = '${taken}' WHERE id = 'other'`,
];

function upper(email: string): string {
  return email.toUpperCase();
}

withPrograms(['python3', 'sqlite3'], () => {
  describe('rows that REPLACE evicts without firing a delete trigger', () => {
    let pair: Pair;
    afterEach(() => pair.close());

    async function users(columns: string, rest = ''): Promise<void> {
      pair = await Pair.create({ schema: `CREATE TABLE users (id TEXT PRIMARY KEY, ${columns}); ${rest}` });
    }

    for (const { rule, columns, index, taken = String } of RULES) {
      it(`go from the other replica too: ${rule}`, async () => {
        await users(columns, index === undefined ? '' : `CREATE UNIQUE INDEX users_rule ON users ${index};`);
        for (const recursive of ['OFF', 'ON']) {
          python(
            pair.ann.file,
            'DELETE FROM users',
            `INSERT INTO users (id, email, x) VALUES ('old 1', 'a1@x', 'live'), ('old 2', 'a2@x', 'live'),
               ('old 3', 'a3@x', 'live'), ('other', 'b4@y', 'live'), ('none', NULL, 'live')`,
          );
          await pair.converge('users');
          const replacing = STATEMENTS.map((sql, group) => sql(taken(`a${group + 1}@x`)));
          python(pair.ann.file, `PRAGMA recursive_triggers = ${recursive}`, ...replacing);
          const left = ['new 1', 'new 2', 'none', 'other'];
          expect(pair.ann.values('SELECT id FROM users ORDER BY id'), recursive).to.deep.equal(left);
          await pair.converge('users');
          expect(pair.bob.values('SELECT id FROM users ORDER BY id'), recursive).to.deep.equal(left);
        }
      });
    }

    it('are not passed over where they come back as they were before anybody noticed', async () => {
      await users('email TEXT UNIQUE');
      python(pair.ann.file, `INSERT INTO users VALUES ('a', 'a@x'), ('b', 'b@y')`);
      await pair.ann.fold();
      python(pair.ann.file, `REPLACE INTO users VALUES ('c', 'a@x')`);
      await pair.bob.pull(pair.ann, { fold: false });
      python(pair.ann.file, `DELETE FROM users WHERE id = 'c'`, `INSERT INTO users VALUES ('a', 'a@x')`);
      await pair.converge('users');
      expect(pair.bob.values('SELECT id FROM users ORDER BY id')).to.deep.equal(['a', 'b']);
    });

    it('hold nothing up where no count tells that they went', async () => {
      await users('email TEXT UNIQUE');
      python(pair.ann.file, `INSERT INTO users VALUES ('a', 'a@x'), ('b', 'b@y')`);
      await pair.ann.fold();
      // Behind the triggers, as a program of the first days of this database would.
      pair.ann.execute(`UPDATE _sync_guard SET applying = 1`);
      python(pair.ann.file, `DELETE FROM users WHERE id = 'a'`, `INSERT INTO users VALUES ('z', 'z@z')`);
      pair.ann.execute(`UPDATE _sync_guard SET applying = 0`);
      python(pair.ann.file, `INSERT INTO users VALUES ('d', 'd@x')`);
      await pair.bob.pull(pair.ann);
      expect(pair.bob.values('SELECT id FROM users ORDER BY id')).to.deep.equal(['b', 'd']);
    });

    it('go by UNIQUE ON CONFLICT REPLACE in the schema, where the statement says nothing', async () => {
      await users('email TEXT UNIQUE ON CONFLICT REPLACE');
      python(pair.ann.file, `INSERT INTO users VALUES ('a', 'a@x'), ('b', 'b@y')`);
      await pair.converge('users');
      shell(
        pair.ann.file,
        `INSERT INTO users VALUES ('c', 'a@x'); UPDATE users SET email = 'a@x' WHERE id = 'b';`,
      );
      await pair.converge('users');
      expect(pair.bob.rows('SELECT * FROM users')).to.deep.equal([{ id: 'b', email: 'a@x' }]);
    });

    it('go all at once where one statement evicts several, each by another rule', async () => {
      await users('email TEXT UNIQUE, nick TEXT UNIQUE, phone TEXT, UNIQUE (phone, nick)');
      python(pair.ann.file, {
        sql: 'INSERT INTO users VALUES (?, ?, ?, ?)',
        many: ['a', 'b', 'c', 'd', 'e'].map((id) => [id, `${id}@x`, `nick ${id}`, `+${id}`]),
      });
      await pair.converge('users');
      shell(pair.ann.file, `REPLACE INTO users VALUES ('c', 'a@x', 'nick b', '+c');`);
      await pair.converge('users');
      expect(pair.bob.values('SELECT id FROM users ORDER BY id')).to.deep.equal(['c', 'd', 'e']);
      python(pair.ann.file, `UPDATE OR REPLACE users SET email = 'd@x', nick = 'nick b' WHERE id = 'e'`);
      await pair.converge('users');
      expect(pair.bob.values('SELECT id FROM users')).to.deep.equal(['e']);
    });

    it('go where one statement writes many rows that evict each other', async () => {
      await users('email TEXT UNIQUE');
      python(pair.ann.file, {
        sql: 'INSERT INTO users VALUES (?, ?)',
        many: Array.from({ length: 40 }, (_, index) => [`u${index}`, `e${index}`]),
      });
      await pair.converge('users');
      shell(pair.ann.file, `INSERT OR REPLACE INTO users SELECT 'n' || id, 'e' || (rowid % 7) FROM users;`);
      await pair.converge('users');
      shell(pair.ann.file, `UPDATE OR REPLACE users SET email = 'e' || (rowid % 5);`);
      await pair.converge('users');
    });

    it('go where the row that evicted them is gone again before anyone looked', async () => {
      await users('email TEXT UNIQUE');
      python(pair.ann.file, `INSERT INTO users VALUES ('a', 'a@x'), ('b', 'b@y')`);
      await pair.converge('users');
      python(
        pair.ann.file,
        `INSERT OR REPLACE INTO users VALUES ('c', 'a@x')`,
        `UPDATE users SET email = 'other' WHERE id = 'c'`,
        `DELETE FROM users WHERE id = 'c'`,
      );
      await pair.converge('users');
      expect(pair.bob.values('SELECT id FROM users')).to.deep.equal(['b']);
    });

    it('go where the key is a unique index and the row number is what collides', async () => {
      pair = await Pair.create({
        schema: 'CREATE TABLE users (n INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, email TEXT)',
        tables: [{ name: 'users', primary_key: ['uid'], exclude_columns: ['n'] }],
      });
      python(pair.ann.file, `INSERT INTO users VALUES (1, 'a', 'a@x'), (2, 'b', 'b@y')`);
      await pair.settle();
      shell(
        pair.ann.file,
        `REPLACE INTO users VALUES (1, 'c', 'c@z'); REPLACE INTO users (uid) VALUES ('d');`,
      );
      await pair.settle();
      const content = 'SELECT uid, email FROM users ORDER BY uid';
      expect(pair.bob.rows(content)).to.deep.equal(pair.ann.rows(content)).and.to.have.length(3);
    });

    it('go where the value that collides is the default of a NOT NULL column', async () => {
      await users(`email TEXT NOT NULL DEFAULT 'nobody' UNIQUE`);
      python(pair.ann.file, `INSERT INTO users (id) VALUES ('a')`, `INSERT INTO users VALUES ('b', 'b@y')`);
      await pair.converge('users');
      python(pair.ann.file, `INSERT OR REPLACE INTO users VALUES ('c', NULL)`);
      expect(pair.ann.values('SELECT id FROM users')).to.deep.equal(['b', 'c']);
      await pair.converge('users');
    });

    it('stay where nothing is replaced after all: OR IGNORE, DO NOTHING, DO UPDATE, a failed statement', async () => {
      await users('email TEXT UNIQUE');
      python(pair.ann.file, `INSERT INTO users VALUES ('a', 'a@x'), ('b', 'b@y')`);
      await pair.converge('users');
      const heads = [pair.ann.head, pair.bob.head];
      python(
        pair.ann.file,
        `INSERT OR IGNORE INTO users VALUES ('c', 'a@x')`,
        `INSERT INTO users VALUES ('c', 'a@x') ON CONFLICT DO NOTHING`,
        `INSERT INTO users VALUES ('c', 'a@x') ON CONFLICT (email) DO UPDATE SET email = excluded.email`,
        `UPDATE OR IGNORE users SET email = 'a@x' WHERE id = 'b'`,
        'BEGIN',
        `INSERT OR REPLACE INTO users VALUES ('c', 'a@x')`,
        'ROLLBACK',
      );
      await pair.settle();
      expect(pair.bob.values('SELECT id FROM users')).to.deep.equal(['a', 'b']);
      expect(await pair.bob.pull(pair.ann)).to.include({ received: 0 });
      expect(pair.ann.values('SELECT count(*) FROM _sync_changes')).to.deep.equal([2]);
      expect(pair.bob.head).to.deep.equal(heads[1]);
    });
  });

  describe('foreign_keys, which each program switches on for itself', () => {
    const SCHEMA = `
    CREATE TABLE authors (id TEXT PRIMARY KEY, name TEXT);
    CREATE TABLE books (id TEXT PRIMARY KEY,
      author TEXT REFERENCES authors (id) ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE reviews (book TEXT, reader TEXT, text TEXT, PRIMARY KEY (book, reader),
      FOREIGN KEY (book) REFERENCES books (id) ON DELETE CASCADE) WITHOUT ROWID;
    CREATE TABLE shelves (id TEXT PRIMARY KEY, book TEXT REFERENCES books (id) ON DELETE SET NULL);
    INSERT INTO authors VALUES ('ada', 'Ada'), ('bob', 'Bob');
    INSERT INTO books VALUES ('a1', 'ada'), ('a2', 'ada'), ('b1', 'bob');
    INSERT INTO reviews VALUES ('a1', 'r', 'good'), ('a1', 's', 'bad'), ('b1', 'r', 'so so');
    INSERT INTO shelves VALUES ('one', 'a1'), ('two', 'b1')`;
    const TABLES = ['authors', 'books', 'reviews', 'shelves'];
    let pair: Pair;
    beforeEach(async () => (pair = await Pair.create({ schema: SCHEMA })));
    afterEach(() => pair.close());

    it('ON: cascades over several tables reach the other replica', async () => {
      python(pair.ann.file, 'PRAGMA foreign_keys = ON', `DELETE FROM authors WHERE id = 'ada'`);
      await pair.converge(...TABLES);
      expect(pair.bob.values('SELECT count(*) FROM reviews')).to.deep.equal([1]);
      expect(pair.bob.values('SELECT book FROM shelves ORDER BY id')).to.deep.equal([null, 'b1']);
      shell(pair.ann.file, `PRAGMA foreign_keys = ON; UPDATE authors SET id = 'bert' WHERE id = 'bob';`);
      await pair.converge(...TABLES);
      expect(pair.bob.values('SELECT author FROM books')).to.deep.equal(['bert']);
    });

    it('ON: a REPLACE of the parent takes its children away, on both replicas', async () => {
      python(pair.ann.file, 'PRAGMA foreign_keys = ON', `REPLACE INTO authors VALUES ('ada', 'Ada L.')`);
      expect(pair.ann.values('SELECT id FROM books')).to.deep.equal(['b1']);
      await pair.converge(...TABLES);
    });

    it('OFF, as in Python and the command line: what dangles here dangles there', async () => {
      shell(pair.ann.file, `DELETE FROM authors WHERE id = 'ada';`);
      await pair.converge(...TABLES);
      expect(pair.bob.values('SELECT count(*) FROM books')).to.deep.equal([3]);
      expect(pair.bob.app((database) => database.pragma('foreign_key_check'))).to.have.length(2);
    });
  });
});
