import { expect } from 'chai';
import { withPrograms } from '../replication/foreign-programs.js';
import { python, shell } from './foreign-writers.js';
import { Pair } from './replicas.js';

/** What ORMs do with a row that nobody changed. */
const SAVES = {
  'UPDATE of every column': `UPDATE posts SET title = title, body = body, n = n`,
  'UPDATE with the values as parameters': `UPDATE posts SET title = 'T', body = x'00', n = 1.0 WHERE id = 'a'`,
  UPSERT: `INSERT INTO posts VALUES ('a', 'T', x'00', 1.0) ON CONFLICT (id) DO UPDATE SET title = excluded.title`,
  'INSERT OR REPLACE': `INSERT OR REPLACE INTO posts VALUES ('a', 'T', x'00', 1.0)`,
  'DELETE and INSERT': `BEGIN; DELETE FROM posts WHERE id = 'a'; INSERT INTO posts VALUES ('a', 'T', x'00', 1.0); COMMIT`,
  'a change and its reverse': `UPDATE posts SET title = 'X' WHERE id = 'a'; UPDATE posts SET title = 'T' WHERE id = 'a'`,
};

withPrograms(['python3', 'sqlite3'], () => {
  describe('a write that changes nothing', () => {
    let pair: Pair;
    beforeEach(async () => {
      pair = await Pair.create({
        schema: 'CREATE TABLE posts (id TEXT PRIMARY KEY, title TEXT, body BLOB, n)',
      });
      python(pair.ann.file, `INSERT INTO posts VALUES ('a', 'T', x'00', 1.0), ('b', 'U', NULL, 2)`);
      await pair.converge('posts');
    });
    afterEach(() => pair.close());

    for (const [how, sql] of Object.entries(SAVES)) {
      it(`travels nowhere, and never beats a real edit made elsewhere: ${how}`, async () => {
        // the edit comes first, the save later
        shell(pair.bob.file, `UPDATE posts SET title = 'edited' WHERE id = 'a';`);
        await pair.bob.fold();
        shell(pair.ann.file, `${sql};`);
        expect(await pair.bob.pull(pair.ann)).to.include({ received: 0 });
        await pair.converge('posts');
        expect(pair.ann.values(`SELECT title FROM posts WHERE id = 'a'`)).to.deep.equal(['edited']);
        expect(pair.ann.values('SELECT count(*) FROM _sync_conflicts')).to.deep.equal([0]);
      });
    }

    it('is a key that moved away and back: only a tombstone of where it was meanwhile travels', async () => {
      shell(pair.bob.file, `UPDATE posts SET title = 'edited' WHERE id = 'a';`);
      await pair.bob.fold();
      shell(
        pair.ann.file,
        `UPDATE posts SET id = 'z' WHERE id = 'a'; UPDATE posts SET id = 'a' WHERE id = 'z';`,
      );
      await pair.converge('posts');
      expect(pair.ann.values(`SELECT id || title FROM posts`)).to.deep.equal(['aedited', 'bU']);
      expect(pair.ann.values(`SELECT operation FROM _sync_changes WHERE record_id = 'z'`)).to.deep.equal([
        'DELETE',
      ]);
    });

    it('is told from one that changes only the type: 1.0 to 1', async () => {
      shell(pair.ann.file, `UPDATE posts SET n = 1 WHERE id = 'a';`);
      expect(await pair.bob.pull(pair.ann)).to.include({ received: 1, applied: 1 });
      await pair.converge('posts');
    });

    it('of a thousand rows, saved again and again, leaves a log as long as the table', async () => {
      python(pair.ann.file, {
        sql: 'INSERT INTO posts VALUES (?, ?, NULL, 1)',
        many: Array.from({ length: 1000 }, (_, index) => [`p${index}`, 't']),
      });
      await pair.converge('posts');
      for (let save = 0; save < 3; save += 1) python(pair.ann.file, 'UPDATE posts SET title = title');
      await pair.ann.fold();
      expect(pair.ann.values('SELECT count(*) FROM _sync_changes')).to.deep.equal([1002]);
      expect(await pair.bob.pull(pair.ann)).to.include({ received: 0 });
    });

    it('to a generated or excluded column travels nowhere either', async () => {
      await pair.close();
      pair = await Pair.create({
        schema: 'CREATE TABLE posts (id TEXT PRIMARY KEY, title, shout AS (upper(title)), opened INTEGER)',
        tables: [{ name: 'posts', exclude_columns: ['opened'] }],
      });
      python(pair.ann.file, `INSERT INTO posts VALUES ('a', 't', 0)`);
      await pair.settle();
      shell(pair.ann.file, `UPDATE posts SET opened = 5;`);
      expect(await pair.bob.pull(pair.ann)).to.include({ received: 0 });
      shell(pair.ann.file, `UPDATE posts SET title = 'u';`);
      await pair.settle();
      expect(pair.bob.rows('SELECT * FROM posts')).to.deep.equal([
        { id: 'a', title: 'u', shout: 'U', opened: null },
      ]);
      expect(pair.ann.values('SELECT opened FROM posts')).to.deep.equal([5]);
    });
  });
});
