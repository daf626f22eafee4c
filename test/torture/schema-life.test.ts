import { expect } from 'chai';
import { withPrograms } from '../replication/foreign-programs.js';
import { python, shell } from './foreign-writers.js';
import { Pair, type TortureReplica } from './replicas.js';

const SCHEMA = `
  CREATE TABLE posts (id TEXT PRIMARY KEY, title TEXT, slug TEXT, views INTEGER DEFAULT 0, at INTEGER);
  CREATE UNIQUE INDEX posts_slug ON posts (slug);
  CREATE INDEX posts_title ON posts (title);
  CREATE TABLE tags (post TEXT, tag TEXT, PRIMARY KEY (post, tag)) WITHOUT ROWID`;

const ROWS = `
  INSERT INTO posts (id, title, slug) VALUES ('a', 'A', 'sa'), ('b', 'B', 'sb'), ('c', 'C', 'sc');
  INSERT INTO tags VALUES ('a', 'x'), ('a', 'y'), ('b', 'x');`;

const TABLES = [{ name: 'posts', timestamp_column: 'at' }, { name: 'tags' }];

/** What Django, Alembic, EF Core and Rails do where ALTER TABLE can't: the twelve steps of SQLite's documentation. */
const REBUILD = `
  PRAGMA foreign_keys = OFF;
  BEGIN;
  CREATE TABLE "new__posts" ("id" TEXT NOT NULL PRIMARY KEY, "title" TEXT, "slug" TEXT UNIQUE, "views" INTEGER,
    "at" INTEGER, "added" TEXT);
  INSERT INTO "new__posts" ("id", "title", "slug", "views", "at") SELECT "id", "title", "slug", "views", "at" FROM "posts";
  DROP TABLE "posts";
  ALTER TABLE "new__posts" RENAME TO "posts";
  CREATE INDEX posts_title ON posts (title);
  PRAGMA foreign_key_check;
  COMMIT;`;

withPrograms(['python3', 'sqlite3'], () => {
  describe('the life of a schema while we are installed', () => {
    let pair: Pair;
    beforeEach(async () => {
      pair = await Pair.create({ schema: SCHEMA, tables: TABLES });
      shell(pair.ann.file, ROWS);
      await pair.converge('posts', 'tags');
    });
    afterEach(() => pair.close());

    /** Runs the application's migration on both, as two installations of one application do. */
    function both(sql: string): void {
      python(pair.ann.file, ...sql.split(';\n'));
      shell(pair.bob.file, `${sql};`);
    }

    describe('ALTER TABLE by the application', () => {
      it('ADD COLUMN: works, and the new column travels', async () => {
        both(
          `ALTER TABLE posts ADD COLUMN note TEXT;\nALTER TABLE posts ADD COLUMN n INTEGER NOT NULL DEFAULT 7`,
        );
        python(pair.ann.file, `UPDATE posts SET note = 'from ann' WHERE id = 'a'`);
        shell(pair.bob.file, `UPDATE posts SET n = 1 WHERE id = 'b';`);
        await pair.converge('posts');
        expect(pair.bob.values('SELECT note FROM posts ORDER BY id')).to.deep.equal(['from ann', null, null]);
        expect(pair.ann.values('SELECT n FROM posts ORDER BY id')).to.deep.equal([7, 1, 7]);
      });

      it('RENAME COLUMN: works, also of key columns', async () => {
        both(
          `ALTER TABLE posts RENAME COLUMN id TO uid;\nALTER TABLE tags RENAME COLUMN tag TO "the tag";\nALTER TABLE posts RENAME COLUMN title TO heading`,
        );
        await pair.expectQuiet();
        python(
          pair.ann.file,
          `UPDATE posts SET heading = 'A2' WHERE uid = 'a'`,
          `DELETE FROM tags WHERE "the tag" = 'y'`,
          `UPDATE posts SET uid = 'z' WHERE uid = 'c'`,
        );
        await pair.converge('posts', 'tags');
        expect(pair.bob.values('SELECT uid || heading FROM posts ORDER BY 1')).to.deep.equal([
          'aA2',
          'bB',
          'zC',
        ]);
      });

      it('DROP COLUMN: works, and nobody misses it', async () => {
        both('ALTER TABLE posts DROP COLUMN views');
        python(pair.ann.file, `UPDATE posts SET title = 'A2' WHERE id = 'a'`);
        await pair.converge('posts');
        expect(pair.bob.values(`SELECT title FROM posts WHERE id = 'a'`)).to.deep.equal(['A2']);
      });

      it('DROP of a UNIQUE index and then of its column, in one transaction: no trigger of ours names it', async () => {
        both('BEGIN;\nDROP INDEX posts_slug;\nALTER TABLE posts DROP COLUMN slug;\nCOMMIT');
        python(pair.ann.file, `REPLACE INTO posts (id, title) VALUES ('a', 'A2')`);
        await pair.converge('posts');
      });

      it('a UNIQUE index made later: rows that REPLACE evicts through it go from the other replica too', async () => {
        both('CREATE UNIQUE INDEX posts_by_title ON posts (title)');
        await pair.converge('posts');
        python(pair.ann.file, `REPLACE INTO posts (id, title) VALUES ('d', 'A')`);
        await pair.converge('posts');
        expect(pair.bob.values('SELECT id FROM posts ORDER BY id')).to.deep.equal(['b', 'c', 'd']);
      });

      it('RENAME TABLE: works, the replica says that the table is missing, and goes on when it is configured', async () => {
        for (const replica of [pair.ann, pair.bob]) {
          shell(
            replica.file,
            `ALTER TABLE posts RENAME TO articles; UPDATE articles SET title = 'late' WHERE id = 'a';`,
          );
          const { schema } = await replica.fold();
          expect(schema?.faults.join()).to.include('no such table "posts"');
        }
        shell(pair.ann.file, `DELETE FROM tags WHERE tag = 'y';`);
        await pair.converge('tags');
        for (const replica of [pair.ann, pair.bob]) {
          replica.configure([{ name: 'articles', timestamp_column: 'at' }, { name: 'tags' }]);
          await replica.migrate();
          await replica.run('backfill');
        }
        await pair.settle();
        python(pair.ann.file, `UPDATE articles SET title = 'new name', at = 1 WHERE id = 'b'`);
        await pair.converge('articles', 'tags');
        expect(pair.bob.values('SELECT title FROM articles ORDER BY id')).to.deep.equal([
          'late',
          'new name',
          'C',
        ]);
      });
    });

    describe('triggers that vanish with their table', () => {
      for (const [program, run] of [
        ['Python', (replica: TortureReplica, sql: string) => python(replica.file, ...sql.split(';\n'))],
        ['the command line', (replica: TortureReplica, sql: string) => shell(replica.file, sql)],
      ] as const) {
        it(`by the 12-step rebuild of ${program}: put back, and what was written in the gap is found`, async () => {
          run(pair.ann, REBUILD.replaceAll(/;\n\s*/g, ';\n').trim());
          run(pair.bob, REBUILD.replaceAll(/;\n\s*/g, ';\n').trim());
          python(
            pair.ann.file,
            `UPDATE posts SET title = 'edited in the gap' WHERE id = 'a'`,
            `DELETE FROM posts WHERE id = 'b'`,
            `INSERT INTO posts (id, title, added) VALUES ('d', 'new in the gap', 'x')`,
            `UPDATE posts SET id = 'e' WHERE id = 'c'`,
          );
          expect((await pair.ann.fold()).schema).to.deep.equal({ recaptured: ['posts'], faults: [] });
          await pair.converge('posts', 'tags');
          expect(pair.bob.values('SELECT id FROM posts ORDER BY id')).to.deep.equal(['a', 'd', 'e']);
          python(pair.ann.file, `UPDATE posts SET added = 'captured again' WHERE id = 'a'`);
          await pair.converge('posts');
        });
      }

      it('by a rebuild on one side only, which changed no row: nothing travels, nothing is lost', async () => {
        shell(pair.ann.file, REBUILD.replace(', "added" TEXT', ''));
        shell(pair.bob.file, `UPDATE posts SET title = 'of bob' WHERE id = 'a';`);
        await pair.ann.fold();
        expect(await pair.bob.pull(pair.ann)).to.include({ received: 0 });
        await pair.converge('posts');
        expect(pair.ann.values(`SELECT title FROM posts WHERE id = 'a'`)).to.deep.equal(['of bob']);
      });

      it('by DROP TABLE, when it is made anew: rows that did not come back are deleted everywhere', async () => {
        shell(
          pair.ann.file,
          `DROP TABLE posts; ${SCHEMA.split(';')[0] ?? ''}; INSERT INTO posts (id, title) VALUES ('b', 'again');`,
        );
        await pair.ann.fold();
        await pair.converge('posts');
        expect(pair.bob.values('SELECT id || title FROM posts')).to.deep.equal(['bagain']);
      });

      it('by DROP TRIGGER of a person who wonders what they are', async () => {
        python(
          pair.ann.file,
          'DROP TRIGGER _sync_posts_update',
          `UPDATE posts SET title = 'unseen' WHERE id = 'a'`,
          'DROP TRIGGER _sync_tags_delete',
          `DELETE FROM tags WHERE tag = 'y'`,
        );
        await pair.converge('posts', 'tags');
        expect(pair.bob.values(`SELECT title FROM posts WHERE id = 'a'`)).to.deep.equal(['unseen']);
      });
    });

    it('VACUUM renumbers the rows of a table without a row number of its own: nothing travels', async () => {
      shell(pair.ann.file, `DELETE FROM posts WHERE id = 'a';`);
      await pair.converge('posts');
      for (const replica of [pair.ann, pair.bob])
        shell(replica.file, 'VACUUM; REINDEX; ANALYZE; PRAGMA optimize;');
      await pair.expectQuiet();
      shell(pair.ann.file, `INSERT INTO posts (id, title) VALUES ('d', 'after'); VACUUM;`);
      await pair.converge('posts', 'tags');
    });

    describe('migrate after the configuration has changed', () => {
      async function configure(
        tables: readonly object[],
        ...replicas: readonly TortureReplica[]
      ): Promise<void> {
        for (const replica of replicas.length === 0 ? [pair.ann, pair.bob] : replicas) {
          replica.configure(tables);
          await replica.migrate();
        }
      }

      it('a table added: its legacy rows and its new ones converge', async () => {
        for (const replica of [pair.ann, pair.bob]) {
          shell(
            replica.file,
            `CREATE TABLE notes (id TEXT PRIMARY KEY, body); INSERT INTO notes VALUES ('same', 1), ('of ${replica.name}', 2);`,
          );
        }
        await configure([...TABLES, { name: 'notes' }]);
        for (const replica of [pair.ann, pair.bob]) await replica.run('backfill');
        python(pair.ann.file, `UPDATE notes SET body = 3 WHERE id = 'of ann'`);
        await pair.converge('posts', 'tags', 'notes');
        expect(pair.bob.values('SELECT count(*) FROM notes')).to.deep.equal([3]);
        expect(pair.bob.values('SELECT count(*) FROM _sync_conflicts')).to.deep.equal([0]);
      });

      it('a table removed, written to, and added again: what was written meanwhile on either side converges', async () => {
        await configure([{ name: 'tags' }]);
        shell(
          pair.ann.file,
          `UPDATE posts SET title = 'unseen' WHERE id = 'a'; DELETE FROM posts WHERE id = 'b';`,
        );
        shell(
          pair.bob.file,
          `UPDATE posts SET title = 'unseen too' WHERE id = 'c'; INSERT INTO posts (id) VALUES ('d');`,
        );
        python(pair.ann.file, `DELETE FROM tags WHERE tag = 'y'`);
        await pair.converge('tags');
        await configure(TABLES);
        await pair.converge('posts', 'tags');
        expect(
          pair.ann.values(`SELECT id || ' ' || coalesce(title, '') FROM posts ORDER BY id`),
        ).to.deep.equal(['a unseen', 'c unseen too', 'd ']);
      });

      it('a table removed on one side for a while: that side misses nothing afterwards', async () => {
        await configure([{ name: 'tags' }], pair.bob);
        shell(
          pair.ann.file,
          `UPDATE posts SET title = 'meanwhile' WHERE id = 'a'; DELETE FROM posts WHERE id = 'b';`,
        );
        await pair.settle();
        expect(pair.bob.values(`SELECT count(*) FROM posts WHERE title = 'meanwhile'`)).to.deep.equal([0]);
        await configure(TABLES, pair.bob);
        await pair.converge('posts', 'tags');
      });

      it('another key: the rows are known by it from then on, and what nobody had pulled yet arrives', async () => {
        python(
          pair.ann.file,
          `UPDATE posts SET title = 'pending', at = 1704326400000 WHERE id = 'c'`,
          `INSERT INTO posts (id, slug) VALUES ('sa', 'a')`,
        );
        await pair.ann.fold();
        await configure([{ name: 'posts', primary_key: ['slug'], timestamp_column: 'at' }, { name: 'tags' }]);
        await pair.converge('posts', 'tags');
        python(
          pair.ann.file,
          `UPDATE posts SET title = 'by slug' WHERE slug = 'sa'`,
          `DELETE FROM posts WHERE slug = 'sb'`,
          `INSERT INTO posts (id, slug) VALUES ('d', 'sd')`,
        );
        await pair.converge('posts', 'tags');
        expect(pair.bob.values('SELECT slug FROM posts ORDER BY slug')).to.deep.equal([
          'a',
          'sa',
          'sc',
          'sd',
        ]);
        expect(pair.bob.values(`SELECT title FROM posts WHERE slug = 'sc'`)).to.deep.equal(['pending']);
        expect(
          pair.bob.values(`SELECT record_id FROM _sync_changes WHERE table_name = 'posts' ORDER BY 1`),
        ).to.deep.equal(['a', 'sa', 'sb', 'sc', 'sd']);
      });

      it('a table rebuilt with another primary key starts over in the same way', async () => {
        const rebuild = `BEGIN; CREATE TABLE n (id TEXT, title TEXT, slug TEXT PRIMARY KEY, views, at);
          INSERT INTO n SELECT * FROM posts; DROP TABLE posts; ALTER TABLE n RENAME TO posts; COMMIT`;
        shell(
          pair.ann.file,
          `INSERT INTO posts (id, slug) VALUES ('sa', 'a'); UPDATE posts SET title = 'pending', at = 1704326400000 WHERE id = 'c';`,
        );
        await pair.ann.fold();
        for (const replica of [pair.ann, pair.bob]) {
          shell(replica.file, `${rebuild};`);
          await replica.fold();
        }
        shell(
          pair.ann.file,
          `UPDATE posts SET id = 'other' WHERE slug = 'sa'; DELETE FROM posts WHERE slug = 'sb';`,
        );
        await pair.converge('posts', 'tags');
        expect(pair.bob.values('SELECT slug FROM posts ORDER BY slug')).to.deep.equal(['a', 'sa', 'sc']);
        expect(pair.bob.values(`SELECT title FROM posts WHERE slug = 'sc'`)).to.deep.equal(['pending']);
      });

      it('another timestamp column, and a column excluded and included again', async () => {
        await configure([{ name: 'posts', exclude_columns: ['views'] }, { name: 'tags' }]);
        shell(pair.ann.file, `UPDATE posts SET views = 5; UPDATE posts SET title = 'x' WHERE id = 'a';`);
        await pair.settle();
        expect(pair.bob.values('SELECT DISTINCT views FROM posts')).to.deep.equal([0]);
        await configure(TABLES);
        shell(pair.ann.file, 'UPDATE posts SET views = views + 1;');
        await pair.converge('posts', 'tags');
        expect(pair.bob.values('SELECT DISTINCT views FROM posts')).to.deep.equal([6]);
      });

      it('--down for a while, and migrate again: what was written meanwhile is found', async () => {
        await pair.ann.run('migrate', '--down');
        shell(pair.ann.file, `UPDATE posts SET title = 'unseen' WHERE id = 'a'; DELETE FROM tags;`);
        await pair.ann.migrate();
        await pair.converge('posts', 'tags');
        expect(pair.bob.values(`SELECT title FROM posts WHERE id = 'a'`)).to.deep.equal(['unseen']);
        expect(pair.bob.values('SELECT count(*) FROM tags')).to.deep.equal([0]);
      });
    });

    it('a column that only one replica has: its rows are held there, and a later write goes in once it has it too', async () => {
      shell(pair.ann.file, `ALTER TABLE posts ADD COLUMN extra; UPDATE posts SET extra = 1 WHERE id = 'a';`);
      await pair.settle();
      expect(pair.bob.held).to.deep.equal(['no column "extra" in table "posts"']);
      shell(pair.bob.file, 'ALTER TABLE posts ADD COLUMN extra;');
      shell(pair.ann.file, `UPDATE posts SET extra = 2 WHERE id = 'a';`);
      await pair.converge('posts');
      expect(pair.bob.values('SELECT extra FROM posts ORDER BY id')).to.deep.equal([2, null, null]);
    });
  });
});
