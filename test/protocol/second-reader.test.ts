import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { execute, expectSameContent } from '../replication/content.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { ReplicaGroup, type Replica } from '../replication/group.js';
import { Program } from '../replication/program.js';
import { scratchFolder } from '../scratch.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, extra, updated_at INTEGER) WITHOUT ROWID;
  CREATE TABLE scores (user_id TEXT, word_id, score, PRIMARY KEY (user_id, word_id));`;
const KEYS = { words: ['id'], scores: ['user_id', 'word_id'] };
const READER = fileURLToPath(new URL('second_reader.py', import.meta.url));
/** Small, so that a pull takes several pages. */
const LIMIT = '4';

const VALUES = `
  INSERT INTO words VALUES
    ('w1', 'algorithm', 1, 1704326400000), ('w2', 'größe 😀', 1.0, 1704326400000), ('w3', NULL, -0.0, 1704326400000),
    ('w4', '', 1e300, 1704326400000), ('w5', 'x', 1e-7, 1704326400000), ('w6', 'x', 123456789012345680000.0, 1704326400000),
    ('w7', 'x', 9223372036854775807, 1704326400000), ('w8', 'x', 9e999, 1704326400000), ('w9', 'x', x'00ff', 1704326400000),
    ('w10', CAST(x'ff41' AS TEXT), 0.1, 1704326400000), ('w11', 'a' || char(0) || 'b', 5e-324, 1704326400000);
  INSERT INTO scores VALUES ('ann', 'w1', 0.5), ('ann', 7, 1), ('ann', '7', 2), ('bob', x'07', 3);`;

withPrograms(['python3'], () => {
  describe('A reader that was written by docs/protocol.md alone', function () {
    this.timeout(120_000);
    let group: ReplicaGroup;

    afterEach(() => group?.remove());

    async function read(from: Replica, file: string): Promise<string> {
      const reader = new Program(['python3', READER, from.address, file, LIMIT]);
      reader.closeInput();
      const { code } = await reader.ended;
      expect(code, reader.transcript).to.equal(0);
      return reader.lines.join('\n');
    }

    it('ends with equal content: every kind of value, edits, deletions, and what came from elsewhere', async () => {
      group = await ReplicaGroup.create({
        tables: [{ name: 'words', timestamp_column: 'updated_at' }, { name: 'scores' }],
        peers: { ann: ['bob'], bob: ['ann'] },
      });
      const [ann, bob] = [group.replica('ann'), group.replica('bob')];
      const file = join(scratchFolder(), 'plain.db');
      const plain = new BetterSqlite3(file);
      plain.exec(SCHEMA);
      plain.close();
      for (const replica of [ann, bob]) replica.create(SCHEMA);
      execute(ann.database, VALUES);
      for (const replica of [ann, bob]) {
        await replica.join();
        await replica.start();
      }
      await group.settle();
      expect(await read(ann, file)).to.match(/^[4-9] pages, 15 rows$/);
      expect(expectSameContent([ann.database, file], KEYS)).to.deep.equal({ words: 11, scores: 4 });

      execute(
        bob.database,
        "UPDATE words SET english = 'of bob', updated_at = 1704412800000 WHERE id = 'w1'",
      );
      execute(
        ann.database,
        "DELETE FROM words WHERE id IN ('w2', 'w7'); DELETE FROM scores WHERE user_id = 'bob'",
      );
      execute(ann.database, "INSERT INTO words VALUES ('w2', 'again', NULL, 1704412800000)");
      await group.settle();
      expect(await read(ann, file)).to.match(/, 4 rows$/);
      expectSameContent([ann.database, bob.database, file], KEYS);

      // the other replica's log has the same versions in another order, and knows nothing of that cursor
      expect(await read(bob, file)).to.match(/, 0 rows$/);
      expectSameContent([bob.database, file], KEYS);
    });
  });
});
