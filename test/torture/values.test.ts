import { expect } from 'chai';
import type { SqlValue } from '#src/wire/value.js';
import { expectSameContent } from '../replication/content.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { ReplicaGroup } from '../replication/group.js';
import { python, shell, type Step } from './foreign-writers.js';
import { Pair, type TortureReplica } from './replicas.js';

const BIG = 5 * 1024 * 1024;

const NUMBERS: readonly SqlValue[] = [
  0n,
  1n,
  -1n,
  1,
  1.5,
  0.1 + 0.2,
  1 / 3,
  5e-324,
  2.2250738585072014e-308,
  1.7976931348623157e308,
  -0,
  0,
  Infinity,
  -Infinity,
  2 ** 53,
  2 ** 53 + 2,
  9_007_199_254_740_991n,
  9_007_199_254_740_992n,
  9_007_199_254_740_993n,
  -9_007_199_254_740_993n,
  9_223_372_036_854_775_807n,
  -9_223_372_036_854_775_808n,
  9.223372036854776e18,
  1e16,
  1e21,
  1e-7,
  123456789012345680,
  0.30000000000000004,
];

const TEXTS: readonly string[] = [
  '',
  '1',
  '1.0',
  '1e400',
  'null',
  '{"$int":"1"}',
  'a\0b',
  '\0',
  '\u{FEFF}with a mark',
  '\u2028\u2029',
  'häßlich 日本語 עברית',
  '👩‍👩‍👧 \u{10FFFF}',
  'e\u0301 is not \u00e9',
  '\uFFFD',
  '\uFFFE\uFFFF',
  'it\'s "quoted" \\ and; -- more',
  '\r\n\t\b',
];

/** Text that is not UTF-8, as hex: lone bytes, overlong forms, surrogates, beyond the last code point, cut short. */
const BROKEN_TEXTS = ['ff', '80', 'c080', 'eda080', 'edb080', 'f4908080', 'e282', '61ff0062', 'efbfbdff'];

const BLOBS: readonly Uint8Array[] = ['', '00', 'ff', '31', 'c080', '0001020304'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

/** Every value in a column of every affinity; the row's key says which value it is. */
const AFFINITIES =
  'untyped, int INTEGER, real REAL, num NUMERIC, txt TEXT, bin BLOB, any ANY, dated DATETIME';

const SCHEMA = `CREATE TABLE kept (id TEXT PRIMARY KEY, ${AFFINITIES})`;

function inserts(): Step[] {
  const values = [null, ...NUMBERS, ...TEXTS, ...BLOBS];
  const places = AFFINITIES.split(',').map(() => '?');
  return [
    {
      sql: `INSERT INTO kept VALUES (?, ${places.join(', ')})`,
      many: values.map((value, index) => [`v${index}`, ...places.map(() => value)]),
    },
    {
      sql: `INSERT INTO kept VALUES (?, ${places.map(() => 'CAST(? AS TEXT)').join(', ')})`,
      many: BROKEN_TEXTS.map((hex) => [`t ${hex}`, ...places.map(() => Buffer.from(hex, 'hex'))]),
    },
  ];
}

const ROWS = 1 + NUMBERS.length + TEXTS.length + BLOBS.length + BROKEN_TEXTS.length;

withPrograms(['python3', 'sqlite3'], () => {
  describe('values', () => {
    let pair: Pair;
    afterEach(() => pair.close());

    async function table(schema: string): Promise<void> {
      pair = await Pair.create({ schema });
    }

    it('of every kind arrive with type and bytes in columns of every affinity', async () => {
      await table(SCHEMA);
      python(pair.ann.file, ...inserts());
      await pair.converge('kept');
      expect(pair.bob.values('SELECT count(*) FROM kept')).to.deep.equal([ROWS]);
    });

    it('of every kind arrive where a row is changed, not inserted, and in STRICT columns of type ANY', async () => {
      await table('CREATE TABLE kept (id TEXT PRIMARY KEY, a ANY, b ANY, untouched BLOB) STRICT');
      const values = [...NUMBERS, ...TEXTS, ...BLOBS];
      python(pair.ann.file, {
        sql: `INSERT INTO kept VALUES (?, 'x', 1.0, x'00ff')`,
        many: values.map((_, index) => [`v${index}`]),
      });
      await pair.converge('kept');
      python(pair.ann.file, {
        sql: 'UPDATE kept SET a = ? WHERE id = ?',
        many: values.map((value, index) => [value, `v${index}`]),
      });
      await pair.converge('kept');
    });

    it("change from 1 to 1.0 to '1' to x'31' in place, which = takes for no change", async () => {
      await table('CREATE TABLE kept (id TEXT PRIMARY KEY, value)');
      python(pair.ann.file, `INSERT INTO kept VALUES ('a', 1)`);
      await pair.converge('kept');
      for (const [sql, type] of [
        ['1.0', 'real'],
        [`'1'`, 'text'],
        [`x'31'`, 'blob'],
        ['1', 'integer'],
      ]) {
        shell(pair.ann.file, `UPDATE kept SET value = ${sql};`);
        await pair.converge('kept');
        expect(pair.bob.values('SELECT typeof(value) FROM kept')).to.deep.equal([type]);
      }
    });

    it('beyond 2^53 are neither rounded nor bound as REAL', async () => {
      await table('CREATE TABLE kept (id TEXT PRIMARY KEY, value, txt TEXT)');
      shell(
        pair.ann.file,
        `INSERT INTO kept VALUES ('max', 9223372036854775807, 9223372036854775807), ('min', -9223372036854775808, 1),
         ('odd', 9007199254740993, 1.0), ('one', 1, 1);`,
      );
      await pair.converge('kept');
      const kept = `SELECT id || ' ' || typeof(value) || ' ' || value || ' ' || txt FROM kept ORDER BY id`;
      expect(pair.bob.values(kept)).to.deep.equal([
        'max integer 9223372036854775807 9223372036854775807',
        'min integer -9223372036854775808 1',
        'odd integer 9007199254740993 1.0',
        'one integer 1 1',
      ]);
    });

    it('REAL: 1e400 is Infinity, -0.0 keeps its sign, and 17 digits are not cut to 15', async () => {
      await table('CREATE TABLE kept (id TEXT PRIMARY KEY, value, typed REAL)');
      shell(
        pair.ann.file,
        `INSERT INTO kept VALUES ('inf', 1e400, -1e400), ('sum', 0.1 + 0.2, 0.1 + 0.2), ('third', 1.0 / 3, 1.0 / 3);`,
      );
      python(pair.ann.file, { sql: `INSERT INTO kept VALUES ('minus', ?, ?)`, values: [-0, -0] });
      await pair.converge('kept');
      const row = pair.bob.app((database) => {
        const read = database.prepare<[string], [number, number]>(
          'SELECT value, typed FROM kept WHERE id = ?',
        );
        return { minus: read.raw().get('minus'), sum: read.raw().get('sum'), inf: read.raw().get('inf') };
      });
      expect(Object.is(row.minus?.[0], -0)).to.equal(true);
      expect(row.sum).to.deep.equal([0.1 + 0.2, 0.1 + 0.2]);
      expect(row.inf).to.deep.equal([Infinity, -Infinity]);
    });

    it('text that is not UTF-8 or holds NUL is neither rewritten nor cut', async () => {
      await table('CREATE TABLE kept (id TEXT PRIMARY KEY, txt TEXT)');
      const broken = [...BROKEN_TEXTS, '61006200', '00'];
      shell(
        pair.ann.file,
        broken.map((hex) => `INSERT INTO kept VALUES ('${hex}', CAST(x'${hex}' AS TEXT));`).join('\n'),
      );
      await pair.converge('kept');
      const kept = `SELECT count(*) FROM kept WHERE lower(hex(CAST(txt AS BLOB))) = id AND typeof(txt) = 'text'`;
      expect(pair.bob.values(kept)).to.deep.equal([broken.length]);
      shell(pair.ann.file, `UPDATE kept SET txt = CAST(x'fe' AS TEXT) WHERE id = 'ff';`);
      await pair.converge('kept');
    });

    it('that differ only in bytes JavaScript can not tell apart are two contents, and the loser is kept exactly', async () => {
      await table('CREATE TABLE kept (id TEXT PRIMARY KEY, txt TEXT)');
      shell(pair.ann.file, `INSERT INTO kept VALUES ('a', CAST(x'ff' AS TEXT));`);
      shell(pair.bob.file, `INSERT INTO kept VALUES ('a', CAST(x'fe' AS TEXT));`);
      await pair.converge('kept');
      const losers = [pair.ann, pair.bob].flatMap((replica) =>
        replica.values('SELECT loser FROM _sync_conflicts'),
      );
      const [winner] = pair.ann.values('SELECT hex(txt) FROM kept');
      const lost = Buffer.from(winner === 'FF' ? 'fe' : 'ff', 'hex').toString('base64');
      expect(losers).not.to.have.length(0);
      for (const loser of losers) expect(loser).to.include(`{"$text":"${lost}"}`);
    });

    it('of 5 MB, blobs and texts, cross, change and go, also more than one in a page', async () => {
      await table('CREATE TABLE kept (id TEXT PRIMARY KEY, small, big)');
      const blob = Buffer.alloc(BIG, 'blob \xff');
      const text = 'häß\0 '.repeat(BIG / 6);
      python(
        pair.ann.file,
        {
          sql: 'INSERT INTO kept VALUES (?, ?, ?)',
          many: [
            ['blob', 1n, blob],
            ['text', 2n, text],
            ['', '', ''],
          ],
        },
        `INSERT INTO kept VALUES ('zero', 0, zeroblob(${BIG})), ('broken', 0, CAST(zeroblob(${BIG}) || x'ff' AS TEXT))`,
      );
      await pair.converge('kept');
      python(
        pair.ann.file,
        `UPDATE kept SET small = 'changed'`,
        `DELETE FROM kept WHERE id = 'zero'`,
        `UPDATE kept SET big = substr(big, 1, ${BIG - 10}) WHERE id = 'text'`,
      );
      await pair.converge('kept');
      expect(pair.bob.values('SELECT count(*) FROM kept')).to.deep.equal([4]);
    });

    for (const encoding of ['UTF-16le', 'UTF-16be']) {
      it(`of a database that holds its text as ${encoding}, beside one that does not`, async () => {
        const bob = { schema: `PRAGMA encoding = '${encoding}'; ${SCHEMA}` };
        pair = await Pair.create({ schema: SCHEMA }, bob);
        expect(pair.bob.values('PRAGMA encoding')).to.deep.equal([encoding]);
        const texts = TEXTS.filter((text) => !text.includes('\uFFFE'));
        const insert = 'INSERT INTO kept (id, txt) VALUES (?, ?)';
        python(pair.ann.file, { sql: insert, many: texts.map((text) => [`ann ${text}`, text]) });
        python(pair.bob.file, { sql: insert, many: texts.map((text) => [`bob ${text}`, text]) });
        python(pair.ann.file, {
          sql: insert,
          many: [
            ['é', 'é'],
            ['\uFFFD', 'x'],
            ['n', 1n],
            ['r', 1.5],
          ],
        });
        python(pair.bob.file, { sql: insert, many: [['é', 'è']] });
        await pair.settle();
        // each orders text by its own bytes
        const content = (side: TortureReplica): string[] =>
          side
            .rows('SELECT id, txt FROM kept')
            .map((row) => JSON.stringify(row))
            .sort();
        expect(content(pair.bob))
          .to.deep.equal(content(pair.ann))
          .and.to.have.length(texts.length * 2 + 4);
        for (const side of [pair.ann, pair.bob]) {
          for (const conflict of side.values('SELECT loser || winner FROM _sync_conflicts')) {
            expect(conflict).to.include('"é"').and.to.include('"è"').and.not.to.include('$text');
          }
        }
        await pair.expectQuiet();
      });
    }
  });

  describe('values over HTTP', () => {
    let group: ReplicaGroup;
    before(async () => {
      group = await ReplicaGroup.create({
        tables: [{ name: 'kept' }],
        peers: { ann: [], bob: ['ann'] },
      });
      for (const replica of group.replicas) {
        replica.create(SCHEMA);
        await replica.join();
      }
    });
    after(() => group.remove());

    it('arrive as they are, compressed and over many pages, by sync', async () => {
      const [ann, bob] = [group.replica('ann'), group.replica('bob')];
      const big: Step = {
        sql: 'INSERT INTO kept (id, txt, bin) VALUES (?, ?, ?)',
        values: ['big', 'x'.repeat(BIG), Buffer.alloc(BIG, 7)],
      };
      python(ann.database, ...inserts(), big);
      await ann.start();
      await bob.cli('sync');
      expectSameContent(group.files, { kept: ['id'] });
    });
  });
});
