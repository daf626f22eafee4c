import { expect } from 'chai';
import fc from 'fast-check';
import { printedSeed, runsOf } from '../random.js';
import { QuickGroup, tableConfig, type QuickReplica } from './quick-replica.js';

const RUNS = runsOf({ suite: 30, random: 150, soak: 5_000 });
const NODES = ['ann', 'bob', 'cid', 'dan'];
const SHAPES = ['mesh', 'chain', 'star'] as const;

const who = fc.nat({ max: NODES.length - 1 });
const row = fc.nat({ max: 4 });

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('put' as const), who, row, value: fc.nat({ max: 2 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), who, row }) },
  { weight: 9, arbitrary: fc.record({ kind: fc.constant('pull' as const), who, peer: who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prune' as const), who }) },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

describe('random histories of few rows', () => {
  let group: QuickGroup;
  let replicas: QuickReplica[];
  let wholes: number;
  before(
    () =>
      (group = new QuickGroup('CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT)', [
        tableConfig('words'),
      ])),
  );
  after(() => group.remove());

  function at(place: number): QuickReplica {
    const found = replicas[place];
    if (found === undefined) throw new TypeError(`Expected replica ${place} to be there`);
    return found;
  }

  /** A replica that counts how often it is asked for what it has only named. */
  function counting(replica: QuickReplica): QuickReplica {
    const page = replica.page.bind(replica);
    replica.page = (since, limit, puller, start = {}) => {
      if (start.whole === true) wholes += 1;
      return page(since, limit, puller, start);
    };
    return replica;
  }

  function areNeighbours(shape: (typeof SHAPES)[number], a: number, b: number): boolean {
    if (shape === 'mesh' || a === b) return a !== b;
    return shape === 'chain' ? Math.abs(a - b) === 1 : a === 0 || b === 0;
  }

  function take(one: Step, shape: (typeof SHAPES)[number]): void {
    const subject = at(one.who);
    group.nowMs += 7;
    if (one.kind === 'put') {
      subject.app.prepare('INSERT OR REPLACE INTO words VALUES (?, ?)').run(`w${one.row}`, `v${one.value}`);
      subject.fold();
    } else if (one.kind === 'delete') {
      subject.app.prepare('DELETE FROM words WHERE id = ?').run(`w${one.row}`);
      subject.fold();
    } else if (one.kind === 'prune') {
      subject.prune();
    } else if (areNeighbours(shape, one.who, one.peer)) {
      subject.pullFrom(at(one.peer));
    }
  }

  function settle(shape: (typeof SHAPES)[number]): void {
    for (let round = 0; round < 25; round += 1) {
      let moved = 0;
      for (const a of replicas.keys()) {
        for (const b of replicas.keys()) {
          if (!areNeighbours(shape, a, b)) continue;
          const { received, named } = at(a).pullFrom(at(b));
          moved += received + named;
        }
      }
      if (moved === 0) return;
    }
    throw new Error('still moving after 25 rounds');
  }

  /** Rows, and the versions of those that are there. */
  function stateOf({ app }: QuickReplica): unknown {
    const versions = `SELECT record_id, timestamp, (SELECT name FROM _sync_origins AS o WHERE o.id = c.origin)
      FROM _sync_changes AS c WHERE fingerprint IS NOT NULL ORDER BY 1`;
    return ['SELECT * FROM words ORDER BY id', versions].map((sql) => app.prepare(sql).raw().all());
  }

  for (const shape of SHAPES) {
    it(`converge in a ${shape}, and no row is asked for that was only named`, function () {
      this.timeout(RUNS * 10_000);
      fc.assert(
        fc.property(fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }), (steps) => {
          group.clear();
          wholes = 0;
          replicas = NODES.map((node) => counting(group.add(node)));
          settle(shape);
          for (const one of steps) take(one, shape);
          settle(shape);
          const [first, ...others] = replicas.map(stateOf);
          for (const other of others) expect(other).to.deep.equal(first);
          expect(wholes).to.equal(0);
        }),
        { numRuns: RUNS, seed: printedSeed(RUNS), endOnFailure: true },
      );
    });
  }
});
