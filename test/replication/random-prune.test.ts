import { expect } from 'chai';
import fc from 'fast-check';
import { printedSeed, runsOf } from '../random.js';
import { QuickGroup, tableConfig, type QuickReplica } from './quick-replica.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER);
  CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT);
`;
const TABLES = [tableConfig('words', { timestampColumn: 'updated_at' }), tableConfig('notes')];
const RUNS = runsOf({ suite: 20, random: 100, soak: 1_000 });

const replica = fc.nat({ max: 3 });
const row = fc.nat({ max: 3 });
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('word' as const, 'note' as const),
      replica,
      row,
      /** Up to a day off, either way, and often equal. */
      clockMs: fc.oneof(fc.constant(0), fc.integer({ min: -86_400_000, max: 86_400_000 })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), replica, row }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('pull' as const), replica, peer: replica }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('prune' as const, 'restart' as const),
      replica,
      peer: replica,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Edges of who pulls from whom: all meet, or a chain, in which two only hear of each other. */
const shapes = {
  mesh: (a: number, b: number) => a !== b,
  chain: (a: number, b: number) => Math.abs(a - b) === 1,
};

describe('random histories with pruning', () => {
  let group: QuickGroup;
  before(() => (group = new QuickGroup(SCHEMA, TABLES)));
  after(() => group.remove());

  for (const [shape, meets] of Object.entries(shapes)) {
    it(`converge in a ${shape}, and bring nothing back that everyone has deleted`, function () {
      this.timeout(RUNS * 10_000);
      const seed = printedSeed(RUNS);
      fc.assert(
        fc.property(
          fc.array(step, { minLength: 10, maxLength: 60 }),
          fc.integer({ min: 2, max: 4 }),
          (steps, count) => {
            group.clear();
            const replicas = ['ann', 'bob', 'cid', 'dan'].slice(0, count).map((node) => group.add(node));
            const edges = edgesOf(replicas, meets);
            settle(edges);
            const gone = new Set<string>();
            for (const one of steps) {
              group.nowMs += 7;
              take(one, replicas, edges, gone);
            }
            settle(edges);
            for (const each of replicas) expect(each.prune()).to.be.at.least(0);
            settle(edges);
            const [first, ...others] = replicas.map(contentOf);
            for (const other of others) expect(other).to.deep.equal(first);
            for (const key of gone) expect(keysOf(replicas[0]), key).to.not.include(key);
            // All know that all have everything by now: no tombstone is left.
            for (const each of replicas) each.prune();
            settle(edges);
            for (const each of replicas) each.prune();
            expect(replicas.map(tombstonesOf)).to.deep.equal(replicas.map(() => 0));
          },
        ),
        { numRuns: RUNS, seed, endOnFailure: false },
      );
    });
  }

  function take(
    one: Step,
    replicas: readonly QuickReplica[],
    edges: readonly Edge[],
    gone: Set<string>,
  ): void {
    if (one.do === 'settle') {
      settle(edges);
      gone.clear();
      const present = keysOf(replicas[0]);
      for (let i = 0; i < 4; i += 1) {
        for (const key of [`w${i}`, `n${i}`]) if (!present.includes(key)) gone.add(key);
      }
      return;
    }
    const at = replicas[one.replica % replicas.length];
    if (at === undefined) return;
    switch (one.do) {
      case 'word':
        gone.delete(`w${one.row}`);
        at.app
          .prepare('INSERT OR REPLACE INTO words VALUES (?, ?, ?)')
          .run(`w${one.row}`, `${at.node} ${group.nowMs}`, BigInt(group.nowMs + one.clockMs));
        return;
      case 'note':
        gone.delete(`n${one.row}`);
        at.app.prepare('INSERT OR REPLACE INTO notes VALUES (?, ?)').run(`n${one.row}`, `${group.nowMs}`);
        return;
      case 'delete':
        at.app.prepare('DELETE FROM words WHERE id = ?').run(`w${one.row}`);
        at.app.prepare('DELETE FROM notes WHERE id = ?').run(`n${one.row}`);
        return;
      case 'prune':
        at.prune();
        return;
      case 'restart':
        // Its next pull compares everything.
        at.app.prepare(`UPDATE _sync_peers SET cursor = ''`).run();
        return;
      case 'pull': {
        const peer = replicas[one.peer % replicas.length];
        if (peer !== undefined && edges.some(([a, b]) => a === at && b === peer)) at.pullFrom(peer);
      }
    }
  }
});

type Edge = readonly [QuickReplica, QuickReplica];

function edgesOf(replicas: readonly QuickReplica[], meets: (a: number, b: number) => boolean): Edge[] {
  return replicas.flatMap((a, i) => replicas.flatMap((b, j): Edge[] => (meets(i, j) ? [[a, b]] : [])));
}

/** Everyone pulls from everyone it meets until nothing moves, and all have heard what all have. */
function settle(edges: readonly Edge[]): void {
  let before = '';
  for (let round = 0; round < 14; round += 1) {
    let received = 0;
    for (const [puller, peer] of edges) received += puller.pullFrom(peer).received;
    const known = JSON.stringify(edges.map(([puller]) => [...puller.members().values()]));
    if (received === 0 && known === before) return;
    before = known;
  }
  throw new Error('still moving after fourteen rounds');
}

function keysOf(at: QuickReplica | undefined): unknown[] {
  return at?.app.prepare('SELECT id FROM words UNION ALL SELECT id FROM notes').pluck().all() ?? [];
}

function contentOf(at: QuickReplica): unknown {
  return {
    words: at.app.prepare('SELECT * FROM words ORDER BY id').all(),
    notes: at.app.prepare('SELECT * FROM notes ORDER BY id').all(),
    held: at.app.prepare('SELECT reason FROM _sync_quarantine').all(),
  };
}

function tombstonesOf(at: QuickReplica): unknown {
  return at.app
    .prepare('SELECT count(*) FROM _sync_changes WHERE origin IS NOT NULL AND fingerprint IS NULL')
    .pluck()
    .get();
}
