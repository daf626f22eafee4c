import { expect } from 'chai';
import fc from 'fast-check';
import { hasSeen, type Version } from '#src/wire/version.js';
import { printedSeed, runsOf } from '../random.js';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';

const RUNS = runsOf({ suite: 30, random: 100, soak: 1_000 });
const NODES = ['ann', 'bob', 'cid'];

const place = fc.nat({ max: NODES.length - 1 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('write'),
      at: place,
      key: fc.constantFrom('a', 'b'),
      body: fc.option(fc.nat(9)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pull'), at: place, from: place }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('resolve'),
      at: place,
      which: fc.nat(9),
      keep: fc.constantFrom('local', 'remote'),
    }),
  },
);
interface Step {
  readonly at: number;
  readonly from?: number;
  readonly key?: string;
  readonly body?: number | null;
  readonly which?: number;
  readonly keep?: 'local' | 'remote';
}

describe('resolving in random histories', function () {
  this.timeout(600_000);
  let group: QuickGroup;
  before(
    () => (group = new QuickGroup('CREATE TABLE words (id TEXT PRIMARY KEY, body)', [tableConfig('words')])),
  );
  after(() => group.remove());

  it('converges, and leaves no conflict open that the standing version has seen', () => {
    const seed = printedSeed(RUNS);
    const history = fc.array(step, { minLength: 10, maxLength: 50 });
    fc.assert(
      fc.property(history, run).afterEach(() => group.clear()),
      { numRuns: RUNS, seed },
    );
  });

  function run(steps: readonly Step[]): void {
    const replicas = NODES.map((node) => group.add(node));
    for (const each of steps) {
      group.nowMs += 1;
      const replica = replicas[each.at];
      if (replica !== undefined) take(each, replica, replicas);
    }
    for (let round = 0; round < 4; round += 1) pullAll(replicas);
    const [first, ...others] = replicas.map(words);
    for (const other of others) expect(other).to.deep.equal(first);
    for (const replica of replicas) expectHonestLedger(replica);
    expect(pullAll(replicas), 'rows that travel once all is equal').to.equal(0);
  }

  function take(each: Step, replica: QuickReplica, replicas: readonly QuickReplica[]): void {
    const peer = each.from === undefined ? undefined : replicas[each.from];
    if (each.key !== undefined) write(replica, each.key, each.body ?? null);
    else if (each.keep !== undefined) resolveOne(replica, each.which ?? 0, each.keep);
    else if (peer !== undefined && peer !== replica) replica.pullFrom(peer);
  }

  function write(replica: QuickReplica, key: string, body: number | null): void {
    if (body === null) replica.app.prepare('DELETE FROM words WHERE id = ?').run(key);
    else replica.app.prepare('INSERT OR REPLACE INTO words VALUES (?, ?)').run(key, body);
  }

  function resolveOne(replica: QuickReplica, which: number, keep: 'local' | 'remote'): void {
    // What was not folded yet may settle it.
    replica.fold();
    const open = replica.conflicts();
    const conflict = open[which % Math.max(1, open.length)];
    if (conflict !== undefined) replica.resolve(conflict.id, keep, true);
  }

  function pullAll(replicas: readonly QuickReplica[]): number {
    let received = 0;
    for (const one of replicas) {
      for (const other of replicas) if (one !== other) received += one.pullFrom(other).received;
    }
    return received;
  }

  function words(replica: QuickReplica): unknown[] {
    return replica.app.prepare('SELECT * FROM words ORDER BY id').all();
  }

  function expectHonestLedger(replica: QuickReplica): void {
    for (const { key, local, remote } of replica.conflicts()) {
      const loser = local.won ? remote : local;
      expect(hasSeen(versionOf(replica, key[0] as string), loser), 'seen, and open').to.equal(false);
    }
  }

  function versionOf(replica: QuickReplica, key: string): Version {
    const row = replica.app
      .prepare<[string], Omit<Version, 'seen'> & { seen: string | null }>(
        `SELECT coalesce(rank, 0) AS rank, timestamp AS stamp, name AS origin, lower(hex(fingerprint)) AS fingerprint, seen
         FROM _sync_changes AS c JOIN _sync_origins AS o ON o.id = c.origin WHERE record_id = ?`,
      )
      .get(key);
    if (row === undefined) throw new Error(`expected a version of ${key}`);
    return { ...row, seen: row.seen === null ? null : (JSON.parse(row.seen) as Record<string, number>) };
  }
});
