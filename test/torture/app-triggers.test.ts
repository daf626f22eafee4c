import { expect } from 'chai';
import { withPrograms } from '../replication/foreign-programs.js';
import { python, pythonSession, shell } from './foreign-writers.js';
import { Pair, TortureReplica, tableContent } from './replicas.js';

const TABLES = `
  CREATE TABLE posts (id TEXT PRIMARY KEY, title TEXT, at INTEGER);
  CREATE TABLE comments (id TEXT PRIMARY KEY, post TEXT, text TEXT);
  CREATE TABLE stats (post TEXT PRIMARY KEY, comments INTEGER);
  CREATE TABLE audit (n INTEGER PRIMARY KEY, what TEXT);`;

/** Sets the time after every update, as most tutorials do. */
const TOUCH = `CREATE TRIGGER posts_touch AFTER UPDATE ON posts FOR EACH ROW
BEGIN
  UPDATE posts SET at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + 1 WHERE id = NEW.id;
END`;

const COUNT = [
  `CREATE TRIGGER comments_more AFTER INSERT ON comments BEGIN
  INSERT OR IGNORE INTO stats VALUES (NEW.post, 0);
  UPDATE stats SET comments = comments + 1 WHERE post = NEW.post;
END`,
  `CREATE TRIGGER "comments less" AFTER DELETE ON comments WHEN OLD.post IS NOT NULL AND OLD.text <> ';'
BEGIN UPDATE "stats" SET comments = comments - 1 WHERE post = OLD.post; END`,
];

const AUDIT = `CREATE TRIGGER posts_audit AFTER UPDATE ON posts BEGIN INSERT INTO audit (what) VALUES (OLD.id); END`;

const SCHEMA = `${TABLES} ${[TOUCH, ...COUNT, AUDIT].join(';\n')};`;

const REPLICATED = [{ name: 'posts', timestamp_column: 'at' }, { name: 'comments' }, { name: 'stats' }];

/** Texts of triggers that are hard to put a condition into. */
const ODD_TRIGGERS = [
  `CREATE TRIGGER t AFTER UPDATE ON posts -- keeps the time
BEGIN UPDATE posts SET at = 1 WHERE id = NEW.id; END`,
  `CREATE TRIGGER t AFTER UPDATE OF title ON posts WHEN NEW.title IS NOT OLD.title -- BEGIN
  /* WHEN */ BEGIN UPDATE posts SET at = 1 WHERE id = NEW.id; END`,
  `CREATE TRIGGER IF NOT EXISTS main.t AFTER UPDATE ON "posts" FOR EACH ROW WHEN CASE WHEN NEW.at > 5 THEN 1 ELSE 0 END
    OR NEW.title = 'BEGIN' BEGIN UPDATE [posts] SET title = '{{title}} ''x''' WHERE id = NEW.id; END`,
  `create trigger [t] after insert on posts begin replace into comments values (new.id, 'it''s', "new"."title"); end`,
  `CREATE TRIGGER t BEFORE DELETE ON posts BEGIN
    DELETE FROM comments WHERE 'c' || OLD.id IN (WITH gone (id) AS (SELECT 'cb') SELECT id FROM gone); END`,
  `CREATE TRIGGER t AFTER UPDATE ON posts BEGIN UPDATE OR IGNORE comments SET text = text || 'x' WHERE post = NEW.id; END`,
  `CREATE TRIGGER t AFTER UPDATE ON posts BEGIN UPDATE 'posts' SET at = 1 WHERE id = NEW.id; END`,
];

withPrograms(['python3', 'sqlite3'], () => {
  describe("an application's own triggers that write to replicated tables", () => {
    let replica: TortureReplica;
    afterEach(() => replica.close());

    function triggers(): Map<string, string> {
      const rows = replica.rows(
        `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name NOT LIKE '\\_sync%' ESCAPE '\\'`,
      ) as { name: string; sql: string }[];
      return new Map(rows.map(({ name, sql }) => [name, sql]));
    }

    it('are refused by migrate, with the list and the way out; nothing is changed', async () => {
      replica = new TortureReplica('ann', { schema: SCHEMA, tables: REPLICATED });
      const { status, stderr } = await replica.command('migrate', '--no-backup');
      expect(status).to.equal(1);
      expect(stderr)
        .to.include('"posts_touch" on "posts" writes posts')
        .and.to.include('"comments_more" on "comments" writes stats')
        .and.to.include('"comments less" on "comments" writes stats')
        .and.to.include('--guard-triggers')
        .and.not.to.include('posts_audit');
      expect(
        replica.values(`SELECT count(*) FROM sqlite_schema WHERE name LIKE '\\_sync%' ESCAPE '\\'`),
      ).to.deep.equal([0]);
    });

    it('are refused too where they reach a replicated table through another trigger', async () => {
      replica = new TortureReplica('ann', {
        schema: `${TABLES}
          CREATE TRIGGER first AFTER INSERT ON posts BEGIN INSERT INTO audit (what) VALUES (NEW.id); END;
          CREATE TRIGGER second AFTER INSERT ON audit BEGIN UPDATE stats SET comments = 0 WHERE post = NEW.what; END`,
        tables: REPLICATED,
      });
      const { status, stderr } = await replica.command('migrate', '--no-backup');
      expect(status).to.equal(1);
      expect(stderr).to.include('"second" on "audit" writes stats').and.not.to.include('"first"');
    });

    it('are guarded where the owner says so, and --down restores them byte for byte', async () => {
      replica = new TortureReplica('ann', { schema: SCHEMA, tables: REPLICATED });
      const before = triggers();
      await replica.migrate('--guard-triggers');
      const guarded = triggers();
      expect(guarded.get('posts_audit')).to.equal(before.get('posts_audit'));
      for (const name of ['posts_touch', 'comments_more', 'comments less']) {
        expect(guarded.get(name), name).to.include('_sync_guard');
      }
      expect(await replica.migrate()).to.match(/up to date/);
      await replica.run('migrate', '--down', '--purge');
      expect(triggers()).to.deep.equal(before);
    });

    for (const [index, text] of ODD_TRIGGERS.entries()) {
      it(`are guarded and restored whatever their text looks like: ${index + 1}`, async () => {
        replica = new TortureReplica('ann', {
          schema: `${TABLES} INSERT INTO posts VALUES ('a', 'x', 9); INSERT INTO comments VALUES ('c', 'a', 'y'); ${text};`,
          tables: REPLICATED,
        });
        const [before] = triggers().values();
        expect((await replica.command('migrate', '--no-backup')).status).to.equal(1);
        await replica.migrate('--guard-triggers');
        const content = (): string[] =>
          ['posts', 'comments'].flatMap((table) => replica.app((database) => tableContent(database, table)));
        const write = `UPDATE posts SET title = 'z'; INSERT INTO posts VALUES ('b', 'new', 9); DELETE FROM posts WHERE id = 'b'`;
        const quiet = content();
        const guarded = replica.app((database) => {
          database.exec(`BEGIN; UPDATE _sync_guard SET applying = 1; ${write}; UPDATE posts SET title = 'x'`);
          const seen = ['posts', 'comments'].flatMap((table) => tableContent(database, table));
          database.exec('ROLLBACK');
          return seen;
        });
        expect(guarded, 'while changes are applied').to.deep.equal(quiet);
        replica.execute(`${write}; UPDATE posts SET title = 'x'`);
        expect(content(), 'in the application').not.to.deep.equal(quiet);
        await replica.run('migrate', '--down');
        expect([...triggers().values()]).to.deep.equal([before]);
      });
    }
  });

  describe("an application's own triggers, guarded", () => {
    let pair: Pair;
    afterEach(() => pair.close());

    it('updated_at and counters: replicas do not diverge, and nothing goes back and forth', async () => {
      pair = await Pair.create({ schema: SCHEMA, tables: REPLICATED, migrate: ['--guard-triggers'] });
      python(
        pair.ann.file,
        `INSERT INTO posts VALUES ('a', 'A', 1), ('b', 'B', 1)`,
        `INSERT INTO comments VALUES ('1', 'a', 'x'), ('2', 'a', 'y'), ('3', 'b', 'z')`,
      );
      await pair.converge('posts', 'comments', 'stats');
      expect(pair.bob.values('SELECT comments FROM stats ORDER BY post')).to.deep.equal([2, 1]);
      for (let round = 0; round < 3; round += 1) {
        shell(
          pair.bob.file,
          `UPDATE posts SET title = title || '!'; DELETE FROM comments WHERE id = '${round + 1}';`,
        );
        await pair.converge('posts', 'comments', 'stats');
        python(
          pair.ann.file,
          `UPDATE posts SET title = title || '?'`,
          `INSERT INTO comments VALUES ('n${round}', 'b', '')`,
        );
        await pair.converge('posts', 'comments', 'stats');
      }
      expect(pair.bob.values('SELECT title FROM posts ORDER BY id')).to.deep.equal(['A!?!?!?', 'B!?!?!?']);
      expect(pair.ann.values('SELECT comments FROM stats ORDER BY post')).to.deep.equal([0, 3]);
      for (const one of [pair.ann, pair.bob]) {
        expect(one.values('SELECT count(*) FROM _sync_conflicts')).to.deep.equal([0]);
      }
    });

    it('local maintenance that writes to no replicated table happens on both sides, without a guard', async () => {
      pair = await Pair.create({ schema: `${TABLES} ${AUDIT};`, tables: REPLICATED });
      python(pair.ann.file, `INSERT INTO posts VALUES ('a', 'A', 1)`);
      await pair.converge('posts');
      python(pair.ann.file, `UPDATE posts SET title = 'B', at = 2`);
      await pair.converge('posts');
      expect(pair.bob.values('SELECT what FROM audit')).to.deep.equal(['a']);
    });

    it('made anew by the application when it rebuilds a table: guarded again, by the name that was agreed to', async () => {
      pair = await Pair.create({ schema: SCHEMA, tables: REPLICATED, migrate: ['--guard-triggers'] });
      python(pair.ann.file, `INSERT INTO posts VALUES ('a', 'A', 1)`);
      await pair.converge('posts');
      for (const one of [pair.ann, pair.bob]) {
        shell(
          one.file,
          `BEGIN; CREATE TABLE n (id TEXT PRIMARY KEY, title TEXT, at INTEGER); INSERT INTO n SELECT * FROM posts;
           DROP TABLE posts; ALTER TABLE n RENAME TO posts; ${TOUCH}; COMMIT;`,
        );
        expect((await one.fold()).schema).to.deep.equal({ recaptured: ['posts'], faults: [] });
      }
      for (let round = 0; round < 2; round += 1) {
        shell(pair.ann.file, `UPDATE posts SET title = title || '!';`);
        await pair.converge('posts');
      }
      await pair.bob.run('migrate', '--down');
      expect(pair.bob.values(`SELECT sql FROM sqlite_schema WHERE name = 'posts_touch'`)).to.deep.equal([
        TOUCH,
      ]);
    });

    it('new ones, made after migrate, are named by the running replica, with the way out', async () => {
      pair = await Pair.create({ schema: TABLES, tables: REPLICATED });
      shell(pair.ann.file, `${TOUCH};`);
      const { schema } = await pair.ann.fold();
      expect(schema?.faults).to.have.length(1);
      expect(schema?.faults[0])
        .to.include('"posts_touch" on "posts" writes posts')
        .and.to.include('--guard-triggers');
    });

    for (const [order, first] of [
      ['before ours', true],
      ['after ours', false],
    ] as const) {
      it(`an updated_at trigger made ${order}: the row as it is in the end travels, not NEW, which is frozen`, async () => {
        pair = await Pair.create({
          schema: `${TABLES} ${first ? `${TOUCH};` : ''}`,
          tables: REPLICATED,
          migrate: first ? ['--guard-triggers'] : [],
        });
        for (const one of first ? [] : [pair.ann, pair.bob]) {
          shell(one.file, `${TOUCH};`);
          await one.migrate('--guard-triggers');
        }
        for (const recursive of ['OFF', 'ON']) {
          python(pair.ann.file, `REPLACE INTO posts VALUES ('a', 'A', 1)`);
          await pair.converge('posts');
          // with recursive triggers a naive one calls itself until SQLite stops it: with and without us
          const [, outcome] = pythonSession(pair.ann.file, [
            { sql: `PRAGMA recursive_triggers = ${recursive}` },
            { sql: `UPDATE posts SET title = 'new'` },
          ]);
          expect(outcome?.error?.message ?? '').to.equal(
            recursive === 'ON' ? 'too many levels of trigger recursion' : '',
          );
          await pair.converge('posts');
          const [at] = pair.bob.values('SELECT at FROM posts');
          if (recursive === 'OFF') expect(at).to.be.greaterThan(1_700_000_000_000);
          else expect(at).to.equal(1);
        }
      });
    }
  });
});
