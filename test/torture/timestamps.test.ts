import { expect } from 'chai';
import type { SqlValue } from '#src/wire/value.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { python, shell } from './foreign-writers.js';
import { Pair } from './replicas.js';

/** 2025-11-12 02:00:00.123 UTC. */
const AT_MS = 1_762_912_800_123;
const AT_S = 1_762_912_800_000;

/** Forms of one moment as programs write it, with what of it the form holds, in ms since 1970. */
const FORMS: readonly { form: string; value: SqlValue; ms: number; text?: boolean }[] = [
  { form: 'milliseconds', value: BigInt(AT_MS), ms: AT_MS },
  { form: 'milliseconds as REAL', value: AT_MS, ms: AT_MS },
  { form: 'milliseconds as text', value: String(AT_MS), ms: AT_MS },
  { form: 'seconds', value: BigInt(AT_S / 1000), ms: AT_S },
  { form: 'seconds with a fraction', value: AT_MS / 1000, ms: AT_MS },
  { form: 'microseconds', value: BigInt(AT_MS) * 1000n, ms: AT_MS },
  { form: 'nanoseconds', value: BigInt(AT_MS) * 1_000_000n, ms: AT_MS },
  { form: 'a Julian day', value: 2_440_587.5 + AT_MS / 86_400_000, ms: AT_MS },
  { form: 'CURRENT_TIMESTAMP', value: '2025-11-12 02:00:00', ms: AT_S },
  { form: 'ISO 8601 with Z', value: '2025-11-12T02:00:00.123Z', ms: AT_MS },
  { form: 'ISO 8601 with an offset', value: '2025-11-12T10:00:00.123+08:00', ms: AT_MS },
  { form: 'the text of GORM', value: '2025-11-12 10:00:00.123456789+08:00', ms: AT_MS },
  { form: 'the text of Python', value: '2025-11-12 02:00:00.123456', ms: AT_MS },
  { form: 'a day', value: '2025-11-12', ms: AT_S - 2 * 3_600_000 },
];

/** Values that are no time of a row: the moment of the fold counts. */
const HOSTILE: readonly { what: string; value: SqlValue }[] = [
  { what: 'NULL', value: null },
  { what: 'the empty string', value: '' },
  { what: 'words', value: 'yesterday, "about noon"; --' },
  { what: 'a day that does not exist', value: '2025-02-30 00:00:00' },
  { what: 'the year 9999', value: '9999-12-31 23:59:59' },
  { what: 'the year 4821 in ms', value: 90_000_000_000_000n },
  { what: 'the largest integer', value: 9_223_372_036_854_775_807n },
  { what: 'Infinity', value: Infinity },
  { what: 'a BLOB', value: Buffer.from('2025-11-12') },
  { what: 'a text with NUL', value: '2025-11-12\0' },
  { what: 'a thousand digits', value: '1'.repeat(1000) },
];

/** Times long ago: the row is as old as it says, and not older than 1970. */
const ANCIENT: readonly { what: string; value: SqlValue; ms: number }[] = [
  { what: 'a negative number', value: -1n, ms: 0 },
  { what: 'the smallest integer', value: -9_223_372_036_854_775_808n, ms: Number.NaN },
  { what: 'a day before 1970', value: '1969-07-20 20:17:40', ms: 0 },
  { what: 'zero', value: 0n, ms: 0 },
  { what: 'negative zero', value: -0, ms: 0 },
];

withPrograms(['python3', 'sqlite3'], () => {
  describe('timestamps', () => {
    let pair: Pair;
    afterEach(() => pair.close());

    /** The column's type decides how SQLite stores what a program writes. */
    async function table(type: string): Promise<void> {
      pair = await Pair.create({
        schema: `CREATE TABLE posts (id TEXT PRIMARY KEY, body, at ${type})`,
        tables: [{ name: 'posts', timestamp_column: 'at' }],
      });
    }

    function stamps(replica = pair.ann): Map<string, number> {
      const rows = replica.rows('SELECT record_id AS id, timestamp AS ms FROM _sync_changes') as {
        id: string;
        ms: number;
      }[];
      return new Map(rows.map(({ id, ms }) => [id, ms]));
    }

    for (const type of ['', 'INTEGER', 'DATETIME', 'TEXT', 'REAL']) {
      it(`are read in every form that programs write, from a column of type "${type}"`, async () => {
        await table(type);
        python(pair.ann.file, {
          sql: `INSERT INTO posts VALUES (?, 'x', ?)`,
          many: FORMS.map(({ form, value }) => [form, value]),
        });
        await pair.converge('posts');
        const found = stamps(pair.bob);
        for (const { form, ms } of FORMS) expect(found.get(form), form).to.equal(ms);
      });

      it(`that are none, or in the far future, count as now and stop nobody: type "${type}"`, async () => {
        await table(type);
        const before = Date.now();
        python(pair.ann.file, {
          sql: `INSERT INTO posts VALUES (?, 'x', ?)`,
          many: [...HOSTILE, ...ANCIENT].map(({ what, value }) => [what, value]),
        });
        await pair.converge('posts');
        const after = Date.now();
        const found = stamps(pair.bob);
        for (const { what } of HOSTILE) expect(found.get(what), what).to.be.within(before, after);
        for (const { what, ms } of ANCIENT) {
          if (!Number.isNaN(ms)) expect(found.get(what), what).to.equal(ms);
          expect(found.get(what), what).to.be.within(0, after);
        }
        // an edit made after seeing such a row beats it, whatever it says itself
        shell(pair.bob.file, `UPDATE posts SET body = 'edited', at = '1990-01-01';`);
        await pair.converge('posts');
        expect(pair.ann.values(`SELECT DISTINCT body FROM posts`)).to.deep.equal(['edited']);
      });
    }

    it('decide between two edits, in whatever form each program writes them', async () => {
      await table('');
      const older = `'2025-11-12 10:00:00.122+08:00'`;
      const newer = String(AT_MS);
      python(pair.ann.file, `INSERT INTO posts VALUES ('a', 'ann', ${older}), ('b', 'ann', ${newer})`);
      shell(pair.bob.file, `INSERT INTO posts VALUES ('a', 'bob', ${newer}), ('b', 'bob', ${older});`);
      await pair.converge('posts');
      expect(pair.ann.values('SELECT body FROM posts ORDER BY id')).to.deep.equal(['bob', 'ann']);
    });

    it('that an application forgets to move still let its edit reach the others', async () => {
      await table('TEXT');
      python(pair.ann.file, `INSERT INTO posts VALUES ('a', 1, '2025-11-12 02:00:00')`);
      await pair.converge('posts');
      for (const replica of [pair.bob, pair.ann, pair.bob]) {
        shell(replica.file, 'UPDATE posts SET body = body + 1;');
        await pair.converge('posts');
      }
      expect(pair.ann.values('SELECT body FROM posts')).to.deep.equal([4]);
    });
  });
});
