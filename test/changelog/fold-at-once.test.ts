import { expect } from 'chai';
import fc from 'fast-check';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';
import { printedSeed, runsOf } from '../random.js';

const RUNS = runsOf({ suite: 150, soak: 5_000 });
const SCHEMA = 'CREATE TABLE words (id PRIMARY KEY, body, at INTEGER, gone)';
const TABLES = [
  tableConfig('words', { timestampColumn: 'at', timestampFormat: 'unix_ms', softDeleteColumn: 'gone' }),
];

/** An open conflict of a row that is in no table: where there is one, the fold makes versions one by one. */
const OPEN_CONFLICT = `INSERT INTO _sync_conflicts
  (table_name, record_key, found_ms, loser_stamp, loser_origin, loser_fingerprint, loser, winner)
  VALUES ('words', '["none"]', 1, 1, 'dan@e0', '00', '{}', '{}')`;

interface Step {
  readonly do: 'write' | 'rewrite' | 'delete' | 'soft-delete' | 'fold' | 'pull';
  /** Whether the peer of both writes it, or both do. */
  readonly byPeer: boolean;
  readonly keys: readonly string[];
  readonly body: string;
  readonly offMs: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom('write', 'write', 'rewrite', 'delete', 'soft-delete', 'fold', 'pull'),
  byPeer: fc.boolean(),
  keys: fc.uniqueArray(fc.constantFrom(`'a'`, `'b'`, '1', '1.0', `'1'`, `x'31'`, `CAST(x'ff' AS TEXT)`), {
    minLength: 1,
  }),
  body: fc.constantFrom('1', '1.0', `'1'`, 'NULL', `'two'`, `CAST(x'80' AS TEXT)`, '9223372036854775807'),
  offMs: fc.integer({ min: -5_000, max: 5_000 }),
});

describe('a fold of many rows at once', function () {
  this.timeout(RUNS * 10_000);
  let group: QuickGroup;
  before(() => (group = new QuickGroup(SCHEMA, TABLES)));
  afterEach(() => group.clear());
  after(() => group.remove());

  it('makes the versions that a fold of one row after another makes', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 25 }), (steps) => {
        group.clear();
        const peer = group.add('bob');
        const atOnce = group.add('ann');
        const oneByOne = group.add('ann');
        oneByOne.app.exec(OPEN_CONFLICT);
        for (const each of [...steps, FOLD]) {
          group.nowMs += 10;
          if (each.byPeer && each.do !== 'pull') take(peer, peer, each);
          else for (const replica of [atOnce, oneByOne]) take(replica, peer, each);
        }
        expect(versionsOf(atOnce)).to.deep.equal(versionsOf(oneByOne));
      }),
      { numRuns: RUNS, seed: printedSeed(RUNS) },
    );
  });

  function take(replica: QuickReplica, peer: QuickReplica, { do: what, keys, body, offMs }: Step): void {
    const at = group.nowMs + offMs;
    const list = keys.join(', ');
    if (what === 'pull') replica.pullFrom(peer);
    else if (what === 'fold') replica.fold();
    else
      replica.app.exec(
        {
          write: keys
            .map((key) => `INSERT OR REPLACE INTO words VALUES (${key}, ${body}, ${at}, NULL);`)
            .join(''),
          rewrite: `UPDATE words SET body = ${body} WHERE id IN (${list})`,
          delete: `DELETE FROM words WHERE id IN (${list})`,
          'soft-delete': `UPDATE words SET gone = 1, at = ${at} WHERE id IN (${list})`,
        }[what],
      );
    // The triggers of both look at the clock, at two moments.
    replica.app.prepare('UPDATE _sync_changes SET timestamp = ? WHERE origin IS NULL').run(group.nowMs);
  }
});

const FOLD: Step = { do: 'fold', byPeer: false, keys: [`'a'`], body: '1', offMs: 0 };

/** What the versions say, by key; both replicas are ann to them. */
function versionsOf(replica: QuickReplica): unknown[] {
  return replica.app
    .prepare(
      `SELECT quote(record_id) AS key, operation, rank, timestamp, floor, substr(o.name, 1, 3) AS author, hex(fingerprint),
         replace(seen, :own, 'ann') AS seen
       FROM _sync_changes AS c JOIN _sync_origins AS o ON o.id = c.origin ORDER BY 1`,
    )
    .all({ own: replica.origin });
}
