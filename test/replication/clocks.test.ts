import { expect } from 'chai';
import fc from 'fast-check';
import { AHEAD } from '#src/apply/ahead.js';
import { heldAfter, type Held } from '#src/apply/held-list.js';
import { horizonOf } from '#src/changelog/horizon.js';
import { printedSeed, runsOf } from '../random.js';
import { QuickGroup, tableConfig, type QuickReplica } from './quick-replica.js';

const RUNS = runsOf({ suite: 30, soak: 1_000 });

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER);
  CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT);
`;
const TABLES = [
  tableConfig('words', { timestampColumn: 'updated_at', timestampFormat: 'unix_ms' }),
  tableConfig('notes'),
];

/** Long ago: what a trigger captures lies ahead, and counts as the moment of the fold. */
const BEGIN_MS = 1_600_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const YEAR_9999_MS = Date.UTC(9999, 11, 31, 12);
const ABORT_SKEW_MS = MINUTE_MS;

describe('stamps from the future', () => {
  let group: QuickGroup;
  before(() => (group = new QuickGroup(SCHEMA, TABLES)));
  beforeEach(() => (group.nowMs = BEGIN_MS));
  afterEach(() => {
    group.clear();
  });
  after(() => {
    group.remove();
  });

  function add(...nodes: string[]): QuickReplica[] {
    return nodes.map((node) => {
      const replica = group.add(node);
      replica.abortSkewMs = ABORT_SKEW_MS;
      return replica;
    });
  }

  /** Writes at the replica's own clock, as an application does. */
  function put(replica: QuickReplica, id: string, english: string, updatedAt?: number): void {
    group.nowMs += 1;
    replica.app
      .prepare(
        `INSERT INTO words VALUES (?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET english = excluded.english, updated_at = excluded.updated_at`,
      )
      .run(id, english, BigInt(updatedAt ?? replica.nowMs));
    replica.fold();
  }

  function wordOf(replica: QuickReplica, id: string): unknown {
    return replica.app.prepare('SELECT english FROM words WHERE id = ?').pluck().get(id);
  }

  function stampOf(replica: QuickReplica, id: string): number {
    const sql = `SELECT timestamp FROM _sync_changes WHERE record_id = ? AND key_hash IS NOT NULL`;
    return replica.app.prepare(sql).pluck().get(id) as number;
  }

  function exchange(...replicas: readonly QuickReplica[]): void {
    for (const one of replicas) {
      for (const other of replicas) if (one !== other) one.pullFrom(other);
    }
  }

  it('that an application writes count as now, so that the next edit elsewhere wins', () => {
    const [ann, bob] = add('ann', 'bob') as [QuickReplica, QuickReplica];
    put(ann, 'w', 'from 9999', YEAR_9999_MS);
    expect(stampOf(ann, 'w')).to.equal(ann.nowMs);
    put(bob, 'w', 'a little later');
    exchange(ann, bob, ann);
    expect([wordOf(ann, 'w'), wordOf(bob, 'w')]).to.deep.equal(['a little later', 'a little later']);
  });

  it('of a clock within clock.abort_skew are taken at once, and an edit that saw them wins', () => {
    const [ann, bob] = add('ann', 'bob') as [QuickReplica, QuickReplica];
    ann.skewMs = 55_000;
    put(ann, 'w', 'fast', ann.nowMs + 4_000);
    bob.pullFrom(ann);
    expect(heldAt(bob)).to.deep.equal([]);
    put(bob, 'w', 'slow, but later');
    exchange(ann, bob);
    expect([wordOf(ann, 'w'), wordOf(bob, 'w')]).to.deep.equal(['slow, but later', 'slow, but later']);
  });

  it('wait in quarantine until their time has come, while everything else of that machine travels', () => {
    const [ann, bob, cid] = add('ann', 'bob', 'cid') as [QuickReplica, QuickReplica, QuickReplica];
    ann.skewMs = HOUR_MS;
    put(ann, 'w', 'an hour fast');
    ann.skewMs = 0;
    put(ann, 'new', 'written by the right clock');
    put(bob, 'w', 'by the right clock');
    exchange(ann, bob, cid);
    exchange(ann, bob, cid);
    expect(wordOf(bob, 'new')).to.equal('written by the right clock');
    expect(wordOf(bob, 'w')).to.equal('by the right clock');
    expect(wordOf(cid, 'w')).to.equal('by the right clock');
    const [held] = heldAt(bob);
    expect(held?.reason)
      .to.match(new RegExp(`^${AHEAD} 2020-09-13T13:26:40`))
      .and.include('applied by itself');
    bob.retryHeld(true);
    expect(heldAt(bob)).to.have.length(1);

    group.nowMs += HOUR_MS;
    for (const one of [ann, bob, cid]) one.retryHeld(true);
    exchange(ann, bob, cid);
    for (const one of [ann, bob, cid]) {
      expect(heldAt(one), one.node).to.deep.equal([]);
      expect(wordOf(one, 'w'), one.node).to.equal('an hour fast');
    }
    // It won by its stamp only; what it overruled is in full where they met.
    expect(bob.conflicts().map(({ local }) => local.record?.english)).to.deep.equal(['by the right clock']);
  });

  it('leave nothing behind once the clock is right: the later edit wins again, whoever made it', () => {
    const [ann, bob] = add('ann', 'bob') as [QuickReplica, QuickReplica];
    ann.skewMs = HOUR_MS;
    put(ann, 'w', 'an hour fast');
    ann.skewMs = 0;
    put(ann, 'x', 'ann, first');
    put(bob, 'x', 'bob, second');
    put(bob, 'y', 'bob, first');
    put(ann, 'y', 'ann, second');
    put(ann, 'w', 'ann knows it, and is right now');
    exchange(ann, bob, ann);
    for (const one of [ann, bob]) {
      expect([wordOf(one, 'x'), wordOf(one, 'y')], one.node).to.deep.equal(['bob, second', 'ann, second']);
    }
    // The row that was stamped ahead is one hour late, and its newest edit stands for it.
    expect(heldAt(bob).map(({ change }) => change.record?.english)).to.deep.equal([
      'ann knows it, and is right now',
    ]);
    group.nowMs += HOUR_MS;
    bob.retryHeld(true);
    expect(wordOf(bob, 'w')).to.equal('ann knows it, and is right now');
    put(bob, 'w', 'bob, afterwards');
    exchange(ann, bob);
    expect([wordOf(ann, 'w'), wordOf(bob, 'w')]).to.deep.equal(['bob, afterwards', 'bob, afterwards']);
    expect(stampOf(bob, 'w')).to.be.at.most(bob.nowMs);
  });

  it('that stand here already do not keep later edits of their rows waiting', () => {
    const [ann, bob] = add('ann', 'bob') as [QuickReplica, QuickReplica];
    ann.skewMs = 365 * DAY_MS;
    put(ann, 'w', 'a year fast');
    ann.skewMs = 0;
    bob.pullFrom(ann);
    bob.retryHeld();
    put(bob, 'w', 'bob knows it');
    ann.pullFrom(bob);
    put(ann, 'w', 'ann knows that');
    bob.pullFrom(ann);
    expect([wordOf(ann, 'w'), wordOf(bob, 'w')]).to.deep.equal(['ann knows that', 'ann knows that']);
    expect([heldAt(ann), heldAt(bob)]).to.deep.equal([[], []]);
  });

  it('of a deletion that was pruned while the clock was wrong do not stamp the rows that are written afterwards', () => {
    const [ann, bob] = add('ann', 'bob') as [QuickReplica, QuickReplica];
    ann.skewMs = 365 * DAY_MS;
    put(ann, 'old', 'a year fast');
    ann.app.exec('DELETE FROM words');
    expect(ann.prune()).to.equal(1);
    ann.skewMs = 0;
    put(ann, 'new', 'by the right clock');
    bob.pullFrom(ann);
    expect(wordOf(bob, 'new')).to.equal('by the right clock');
    expect(stampOf(bob, 'new')).to.be.at.most(group.nowMs + 1);
  });

  describe('of the year 9999', () => {
    /** A replica whose clock is right, and that holds what no clock that is right has stamped. */
    function liar(): QuickReplica {
      const [eve] = add('eve') as [QuickReplica];
      eve.skewMs = YEAR_9999_MS - group.nowMs;
      put(eve, 'w', 'mine for ever');
      eve.app.exec("INSERT INTO notes VALUES ('n', 'mine too'); DELETE FROM notes");
      eve.fold();
      eve.skewMs = 0;
      return eve;
    }

    it('poison no row: others go on, and pass on nothing of it', () => {
      const [bob, cid] = add('bob', 'cid') as [QuickReplica, QuickReplica];
      put(bob, 'w', 'first');
      const eve = liar();
      exchange(bob, eve, cid);
      put(cid, 'w', 'second');
      exchange(bob, eve, cid);
      group.nowMs += 100 * DAY_MS;
      bob.retryHeld(true);
      put(bob, 'w', 'third');
      exchange(bob, cid);
      expect([wordOf(bob, 'w'), wordOf(cid, 'w')]).to.deep.equal(['third', 'third']);
      expect(stampOf(cid, 'w')).to.equal(bob.nowMs);
      expect(heldAt(bob)).to.have.length(2);
    });

    it('are not entered together with the new rows around them', () => {
      const [bob] = add('bob') as [QuickReplica];
      const eve = liar();
      for (let row = 0; row < 9; row += 1) put(eve, `row ${row}`, 'sound');
      put(eve, 'w', 'mine for ever, again');
      const { applied, quarantined } = bob.pullFrom(eve, 100);
      expect({ applied, quarantined }).to.deep.equal({ applied: 9, quarantined: 2 });
    });

    it('are applied by a person, or dropped by one', () => {
      const [bob, cid] = add('bob', 'cid') as [QuickReplica, QuickReplica];
      const eve = liar();
      bob.pullFrom(eve);
      cid.pullFrom(eve);
      for (const { id } of heldAt(bob)) bob.drop(id);
      cid.retryHeld();
      expect([wordOf(bob, 'w'), wordOf(cid, 'w')]).to.deep.equal([undefined, 'mine for ever']);
      expect([heldAt(bob), heldAt(cid)]).to.deep.equal([[], []]);
    });

    it('are held again when everything is compared from the start, once each', () => {
      const [bob] = add('bob') as [QuickReplica];
      const eve = liar();
      bob.pullFrom(eve);
      const before = heldAt(bob).map(({ table, key }) => ({ table, key }));
      bob.forgetCursorOf(eve);
      bob.pullFrom(eve);
      expect(heldAt(bob).map(({ table, key }) => ({ table, key }))).to.deep.equal(before);
    });

    it('of a pruned deletion make no row of now look old', () => {
      const [bob] = add('bob') as [QuickReplica];
      const eve = liar();
      expect(eve.prune()).to.equal(1);
      bob.pullFrom(eve);
      expect(horizonOf(bob.changelog, 'notes')).to.equal(null);
      expect(bob.pullFrom(eve).received).to.equal(0);
    });
  });

  it('end where they should in random histories of clocks that go wrong and are set right', function () {
    this.timeout(RUNS * 10_000);
    const seen = { held: 0, refused: 0 };
    const nodes = ['ann', 'bob', 'cid'];
    const step = fc.record({
      do: fc.constantFrom(
        'write',
        'write',
        'write when wrong',
        'delete',
        'pull',
        'pull',
        'pull',
        'clock',
        'time',
      ),
      at: fc.nat({ max: nodes.length - 1 }),
      peer: fc.nat({ max: nodes.length - 2 }),
      key: fc.nat({ max: 2 }),
      clockMs: fc.constantFrom(0, 0, 0, 50_000, -50_000, 10 * MINUTE_MS, HOUR_MS, 3 * DAY_MS, -DAY_MS),
      passMs: fc.constantFrom(1, 1_000, MINUTE_MS, 20 * MINUTE_MS),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), (steps) => {
        group.clear();
        group.nowMs = BEGIN_MS;
        const replicas = add(...nodes) as [QuickReplica, QuickReplica, QuickReplica];
        const [ann, bob, cid] = replicas;
        let written = 0;
        for (const { do: what, at, peer, key, clockMs, passMs } of steps) {
          const one = replicas[at] ?? ann;
          const other = replicas[(at + 1 + peer) % replicas.length] ?? ann;
          if (what === 'write when wrong') {
            one.skewMs = clockMs;
            put(one, `w${key}`, `${one.node} ${(written += 1)}`);
            one.skewMs = 0;
          } else if (what === 'write') put(one, `w${key}`, `${one.node} ${(written += 1)}`);
          else if (what === 'delete') one.app.prepare('DELETE FROM words WHERE id = ?').run(`w${key}`);
          else if (what === 'clock') one.skewMs = clockMs;
          else if (what === 'time') group.nowMs += passMs;
          else if (Math.abs(one.skewMs - other.skewMs) > ABORT_SKEW_MS) seen.refused += 1;
          else seen.held += one.pullFrom(other).quarantined;
          one.retryHeld(true);
        }
        for (const one of replicas) one.skewMs = 0;
        settle(replicas);
        // Nobody's clock is wrong any more: what is written now wins as it should, but for what waits.
        put(ann, 'fresh', 'first');
        put(bob, 'fresh', 'second');
        settle(replicas);
        for (const one of replicas) expect(wordOf(one, 'fresh'), one.node).to.equal('second');

        group.nowMs += 4 * DAY_MS;
        for (const one of replicas) one.retryHeld(true);
        settle(replicas);
        const contents = replicas.map(({ app }) => app.prepare('SELECT * FROM words ORDER BY id').all());
        for (const content of contents) expect(content).to.deep.equal(contents[0]);
        for (const one of replicas) {
          expect(heldAt(one), `held at ${one.node}`).to.deep.equal([]);
          const newest = one.app.prepare('SELECT max(timestamp) FROM _sync_changes').pluck().get() as number;
          expect(newest, `newest stamp at ${one.node}`).to.be.below(group.nowMs);
        }
        for (const key of ['w0', 'w1', 'w2', 'fresh']) {
          put(cid, key, 'the last word');
        }
        settle(replicas);
        for (const one of replicas) {
          for (const key of ['w0', 'w1', 'w2', 'fresh']) expect(wordOf(one, key)).to.equal('the last word');
        }
      }),
      { numRuns: RUNS, seed: printedSeed(RUNS) },
    );
    console.log(`      ${seen.held} changes held, ${seen.refused} pulls refused`);
    expect(seen.held, 'changes held').to.be.greaterThan(0);
  });
});

function heldAt(replica: QuickReplica): Held[] {
  return heldAfter(replica.app, 0, 1_000);
}

/** Everyone pulls from everyone until nothing comes any more. */
function settle(replicas: readonly QuickReplica[]): void {
  for (let received = -1; received !== 0;) {
    received = 0;
    for (const one of replicas) {
      for (const other of replicas) if (one !== other) received += one.pullFrom(other).received;
    }
  }
}
