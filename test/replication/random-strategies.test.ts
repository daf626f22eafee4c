import { expect } from 'chai';
import fc from 'fast-check';
import { Resolvers } from '#src/config/resolvers.js';
import { hasSeen, sameContent, type Version } from '#src/wire/version.js';
import { printedSeed, runsOf } from '../random.js';
import { scratchFile } from '../scratch.js';
import { QuickGroup, tableConfig, type QuickReplica, type ReplicaOptions } from './quick-replica.js';

const RUNS = runsOf({ suite: 20, random: 100, soak: 1_000 });
/** Of a second look at the same strategy. */
const MORE_RUNS = runsOf({ suite: 10, random: 50, soak: 500 });
const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, body TEXT, at INTEGER)';
const KEYS = ['a', 'b'];

interface Step {
  readonly do: 'write' | 'delete' | 'fold' | 'pull' | 'resolve';
  readonly at: number;
  readonly peer: number;
  readonly key: string;
  /** How far off the clock of the writing application is, ms. */
  readonly offMs: number;
  readonly keep: 'local' | 'remote';
}

function history(weights: Record<Step['do'], number>): fc.Arbitrary<Step[]> {
  const kinds = Object.entries(weights).map(([name, weight]) => ({
    weight,
    arbitrary: fc.constant(name as Step['do']),
  }));
  const step = fc.record({
    do: fc.oneof(...kinds),
    at: fc.nat({ max: 3 }),
    peer: fc.nat({ max: 3 }),
    key: fc.constantFrom(...KEYS),
    offMs: fc.oneof(fc.constant(0), fc.integer({ min: -100_000, max: 4_000 })),
    keep: fc.constantFrom('local' as const, 'remote' as const),
  });
  return fc.array(step, { minLength: 5, maxLength: 50 });
}

const replicaCount = fc.integer({ min: 2, max: 4 });

/** Unions both sides, a list of words each; what one side deleted stays as the other has it. */
const UNION = `export default (local, remote) => {
  if (local === null || remote === null) return local ?? remote;
  const words = new Set([...local.body.split(' '), ...remote.body.split(' ')]);
  return { id: local.id, body: [...words].sort().join(' '), at: Math.max(local.at, remote.at) };
};`;

/** Gives another result in another order, and when it is done twice: only one merge a conflict makes all equal. */
const JOIN = `export default (local, remote) => {
  if (local === null || remote === null) return local ?? remote;
  return { ...remote, body: '(' + local.body + ' ' + remote.body + ')' };
};`;

describe('random histories under a strategy', function () {
  this.timeout(RUNS * 10_000);
  let group: QuickGroup;
  let written = 0;
  before(() => (group = new QuickGroup(SCHEMA, [tableConfig('words')])));
  afterEach(() => group.clear());
  after(() => group.remove());

  it('source_wins: they converge, and no edit of the preferred replica loses to one that did not know it', () => {
    const timed = { timestampColumn: 'at', timestampFormat: 'unix_ms' } as const;
    const ranking = { conflictResolution: 'source_wins', preferredNode: 'ann' } as const;
    const steps = history({ write: 4, delete: 1, fold: 1, pull: 4, resolve: 1 });
    fc.assert(
      fc.property(steps, replicaCount, (all, count) => {
        // How the others are configured does not matter: a rank counts wherever it comes to.
        const replicas = make(count, (node) => ({
          tables: [tableConfig('words', node === 'bob' ? timed : { ...timed, ...ranking })],
        }));
        const ever: Known = new Map();
        for (const step of all) {
          take(step, replicas, overwrite);
          for (const replica of replicas) remember(replica, ever);
        }
        settle(replicas);
        expectEqual(replicas);
        // Of two deletions one stands for both, whatever it has seen.
        if (!all.some((step) => step.do === 'delete')) expectNothingLost(replicas, ever);
        const preferred = replicas[0]?.origin;
        const lost = replicas.flatMap((replica) => replica.conflicts(true));
        for (const { local, remote } of lost) {
          expect((local.won ? remote : local).origin, 'the author of a loser').to.not.equal(preferred);
        }
      }),
      { numRuns: RUNS, seed: printedSeed(RUNS) },
    );
  });

  it('custom: a merge that unites converges, keeps everything, and comes to rest', async () => {
    const resolver = scratchFile(UNION, 'union.mjs');
    const tables = [tableConfig('words', { conflictResolution: 'custom', resolver })];
    const resolvers = new Resolvers();
    await resolvers.load(tables);
    const steps = history({ write: 4, delete: 0, fold: 1, pull: 4, resolve: 0 });
    fc.assert(
      fc.property(steps, replicaCount, (all, count) => {
        const replicas = make(count, () => ({ tables, resolvers }));
        const known = new Map(KEYS.map((key) => [key, new Set<string>()]));
        for (const step of all) {
          take(step, replicas, (replica, { key }) => {
            known.get(key)?.add(addWord(replica, key));
          });
        }
        settle(replicas);
        expectEqual(replicas);
        for (const { id, body } of wordsOf(replicas[0])) {
          expect(body.split(' '), `the words of ${id}`).to.have.members([...(known.get(id) ?? [])]);
        }
      }),
      { numRuns: MORE_RUNS, seed: printedSeed(MORE_RUNS) },
    );
    expect(resolvers.takeFaults()).to.deep.equal([]);
  });

  it('custom: any merge converges and comes to rest, also where rows are deleted', async () => {
    const resolver = scratchFile(JOIN, 'join.mjs');
    const tables = [tableConfig('words', { conflictResolution: 'custom', resolver })];
    const resolvers = new Resolvers();
    await resolvers.load(tables);
    const steps = history({ write: 4, delete: 2, fold: 1, pull: 4, resolve: 0 });
    fc.assert(
      fc.property(steps, replicaCount, (all, count) => {
        const replicas = make(count, () => ({ tables, resolvers }));
        for (const step of all) take(step, replicas, overwrite);
        settle(replicas);
        expectEqual(replicas);
      }),
      { numRuns: RUNS, seed: printedSeed(RUNS) },
    );
    expect(resolvers.takeFaults()).to.deep.equal([]);
  });

  it('manual: nothing is lost before it is resolved, and all is equal once everything is', () => {
    const tables = [tableConfig('words', { conflictResolution: 'manual' })];
    const steps = history({ write: 4, delete: 0, fold: 1, pull: 5, resolve: 2 });
    fc.assert(
      fc.property(steps, replicaCount, (all, count) => {
        const replicas = make(count, () => ({ tables }));
        const ever: Known = new Map();
        for (const step of all) {
          take(step, replicas, overwrite);
          for (const replica of replicas) remember(replica, ever);
        }
        settle(replicas);
        for (const replica of replicas) remember(replica, ever);
        expectNothingLost(replicas, ever);
        resolveAll(replicas);
        expectEqual(replicas);
      }),
      { numRuns: RUNS, seed: printedSeed(RUNS) },
    );
  });

  it('manual: also where rows are deleted, all is equal once everything is resolved', () => {
    const tables = [tableConfig('words', { conflictResolution: 'manual' })];
    const steps = history({ write: 4, delete: 2, fold: 1, pull: 5, resolve: 2 });
    fc.assert(
      fc.property(steps, replicaCount, (all, count) => {
        const replicas = make(count, () => ({ tables }));
        for (const step of all) take(step, replicas, overwrite);
        settle(replicas);
        resolveAll(replicas);
        expectEqual(replicas);
      }),
      { numRuns: MORE_RUNS, seed: printedSeed(MORE_RUNS) },
    );
  });

  function make(count: number, optionsOf: (node: string) => ReplicaOptions): QuickReplica[] {
    group.clear();
    return ['ann', 'bob', 'cid', 'dan'].slice(0, count).map((node) => group.add(node, '', optionsOf(node)));
  }

  function take(
    step: Step,
    replicas: readonly QuickReplica[],
    write: (replica: QuickReplica, step: Step) => void,
  ): void {
    group.nowMs += 7;
    const replica = replicas[step.at % replicas.length];
    const peer = replicas[step.peer % replicas.length];
    if (replica === undefined || peer === undefined) return;
    switch (step.do) {
      case 'write':
        write(replica, step);
        return;
      case 'delete':
        replica.app.prepare('DELETE FROM words WHERE id = ?').run(step.key);
        return;
      case 'fold':
        replica.fold();
        return;
      case 'pull':
        if (peer !== replica) replica.pullFrom(peer);
        return;
      case 'resolve':
        resolveOne(replica, step.peer, step.keep);
    }
  }

  function overwrite(replica: QuickReplica, { key, offMs }: Step): void {
    written += 1;
    replica.app
      .prepare('INSERT OR REPLACE INTO words VALUES (?, ?, ?)')
      .run(key, `w${written}`, BigInt(group.nowMs + offMs));
  }

  /** Returns the word that the row got. */
  function addWord(replica: QuickReplica, key: string): string {
    written += 1;
    const word = `w${written}`;
    replica.app
      .prepare(
        `INSERT INTO words VALUES (:key, :word, :at)
         ON CONFLICT (id) DO UPDATE SET body = body || ' ' || excluded.body`,
      )
      .run({ key, word, at: BigInt(group.nowMs) });
    return word;
  }

  function resolveAll(replicas: readonly QuickReplica[]): void {
    for (let rounds = 0; rounds < 100; rounds += 1) {
      const replica = replicas.find((one) => one.conflicts().length > 0);
      if (replica === undefined) return;
      resolveOne(replica, rounds, rounds % 2 === 0 ? 'local' : 'remote');
      settle(replicas);
    }
    throw new Error('still conflicts after a hundred resolutions');
  }
});

function resolveOne(replica: QuickReplica, which: number, keep: 'local' | 'remote'): void {
  replica.fold();
  const open = replica.conflicts();
  const conflict = open[which % Math.max(1, open.length)];
  if (conflict !== undefined) replica.resolve(conflict.id, keep, true);
}

/** Everyone pulls from everyone until nothing moves any more, and then once again for nothing. */
function settle(replicas: readonly QuickReplica[]): void {
  for (let round = 0; round < 12; round += 1) {
    if (pullAll(replicas) === 0) {
      const heads = replicas.map(headOf);
      expect(pullAll(replicas)).to.equal(0);
      expect(replicas.map(headOf), 'heads of logs at rest').to.deep.equal(heads);
      return;
    }
  }
  throw new Error('still moving after twelve rounds');
}

function pullAll(replicas: readonly QuickReplica[]): number {
  let received = 0;
  for (const one of replicas) {
    for (const other of replicas) if (one !== other) received += one.pullFrom(other).received;
  }
  return received;
}

function headOf(replica: QuickReplica): unknown {
  return replica.app.prepare(`SELECT seq FROM sqlite_sequence WHERE name = '_sync_changes'`).pluck().get();
}

function expectEqual(replicas: readonly QuickReplica[]): void {
  const [first, ...others] = replicas.map(wordsOf);
  for (const other of others) expect(other).to.deep.equal(first);
}

function wordsOf(replica: QuickReplica | undefined): { id: string; body: string }[] {
  return (
    replica?.app.prepare<[], { id: string; body: string }>('SELECT * FROM words ORDER BY id').all() ?? []
  );
}

type Known = Map<string, { key: string; version: Version }>;

/** Notes the versions that stand at a replica now. */
function remember(replica: QuickReplica, ever: Known): void {
  for (const [key, version] of standing(replica)) {
    ever.set(`${key} ${version.stamp} ${version.origin} ${version.fingerprint}`, { key, version });
  }
}

function standing(replica: QuickReplica): [string, Version][] {
  const rows = replica.app
    .prepare<[], Omit<Version, 'seen'> & { key: string; seen: string | null }>(
      `SELECT record_id AS key, coalesce(rank, 0) AS rank, timestamp AS stamp, name AS origin,
         lower(hex(fingerprint)) AS fingerprint, seen
       FROM _sync_changes AS c JOIN _sync_origins AS o ON o.id = c.origin`,
    )
    .all();
  return rows.map(({ key, seen, ...version }) => [
    key,
    { ...version, seen: seen === null ? null : (JSON.parse(seen) as Record<string, number>) },
  ]);
}

/**
 * Whatever stood anywhere is known to what stands now, or to what some ledger shows as open, or is the same row. Two
 * people may decide alike at once: then one of two equal rows stands for both, also for who overwrites it later.
 */
function expectNothingLost(replicas: readonly QuickReplica[], ever: Known): void {
  const alive = replicas.flatMap((replica) => [
    ...standing(replica),
    ...replica
      .conflicts()
      .map(({ key, local, remote }): [string, Version] => [key[0] as string, remote.won ? local : remote]),
  ]);
  for (const { key, version } of ever.values()) {
    const equals = [...ever.values()].filter((one) => one.key === key && sameContent(one.version, version));
    const kept = alive.some(
      ([of, known]) =>
        of === key && (sameContent(known, version) || equals.some((one) => hasSeen(known, one.version))),
    );
    expect(kept, `${key} of ${version.stamp} by ${version.origin}`).to.equal(true);
  }
}
