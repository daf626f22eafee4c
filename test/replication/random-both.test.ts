import { expect } from 'chai';
import fc from 'fast-check';
import { printedSeed, runsOf } from '../random.js';
import { invite, pageFor, takeOffered, type Invited } from './quick-offers.js';
import { QuickGroup, tableConfig, type QuickReplica } from './quick-replica.js';

const RUNS = runsOf({ suite: 40, random: 200, soak: 5_000 });
const NODES = ['server', 'phone', 'tablet', 'laptop'];
const PAGE_SIZE = 3;
/** Pages of one offer; more would be an end that never comes. */
const MAX_PAGES = 200;

const who = fc.nat({ max: NODES.length - 1 });
/** Who can't be reached: all but the server. */
const away = fc.integer({ min: 1, max: NODES.length - 1 });
const row = fc.nat({ max: 4 });

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('put' as const), who, row, value: fc.nat({ max: 2 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), who, row }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pull' as const), away }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('offer' as const), away }) },
  // An exchange that is cut anywhere: the answers are those of the past by the time they come.
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('invite' as const), away }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('lost answer' as const), away }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('lost page' as const), away }) },
  // The server has an address of the laptop too.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pull back' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prune' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('back up' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), who }) },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

describe('random histories around a server that can reach few', () => {
  let group: QuickGroup;
  let replicas: QuickReplica[];
  let invitations: Map<number, Invited>;
  let backups: Map<number, string>;
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

  /** Offers the server all that it lacks, as `offer` of the product does; how many changes came. */
  function offerAll(place: number): number {
    const from = at(place);
    let moved = 0;
    let whole = false;
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      from.fold();
      const invited = invite(at(0), from);
      const page = pageFor(from, at(0), invited, { pageSize: PAGE_SIZE, whole });
      if (page === null) {
        at(0).forgetCursorOf(from);
        continue;
      }
      const taken = takeOffered(at(0), from, page, invited);
      whole = taken === 'rows_missing';
      if (typeof taken === 'string') continue;
      moved += page.changes.length + page.named.length;
      if (!page.has_more) {
        // The acknowledgement.
        pageFor(from, at(0), invite(at(0), from), { pageSize: PAGE_SIZE });
        return moved;
      }
    }
    throw new Error(`still offering after ${MAX_PAGES} pages`);
  }

  function pullAll(place: number): number {
    const { received, named } = at(place).pullFrom(at(0), PAGE_SIZE);
    return received + named;
  }

  /** Takes a page for an invitation of whenever; `isTaken` tells whether the server gets it at all. */
  function offerLate(place: number, isTaken: boolean): void {
    const invited = invitations.get(place) ?? invite(at(0), at(place));
    at(place).fold();
    const page = pageFor(at(place), at(0), invited, { pageSize: PAGE_SIZE });
    if (page !== null && isTaken) takeOffered(at(0), at(place), page, invited);
  }

  function take(one: Step): void {
    group.nowMs += 7;
    switch (one.kind) {
      case 'put':
        at(one.who)
          .app.prepare('INSERT OR REPLACE INTO words VALUES (?, ?)')
          .run(`w${one.row}`, `v${one.value} of ${one.who}`);
        break;
      case 'delete':
        at(one.who).app.prepare('DELETE FROM words WHERE id = ?').run(`w${one.row}`);
        break;
      case 'pull':
        pullAll(one.away);
        break;
      case 'offer':
        offerAll(one.away);
        break;
      case 'invite':
        invitations.set(one.away, invite(at(0), at(one.away)));
        break;
      case 'lost answer':
        offerLate(one.away, true);
        break;
      case 'lost page':
        offerLate(one.away, false);
        break;
      case 'pull back':
        at(0).pullFrom(at(3), PAGE_SIZE);
        break;
      case 'prune':
        at(one.who).prune();
        break;
      case 'back up':
      case 'restore':
        keep(one.kind, one.who);
        break;
    }
  }

  /** Copies a replica's file, or puts its disk back to that; each once in a history, as a peer's word counts but once. */
  function keep(kind: 'back up' | 'restore', place: number): void {
    const backup = backups.get(place);
    if (kind === 'back up' && backup === undefined) {
      const file = group.newFile();
      at(place).copyTo(file);
      backups.set(place, file);
    } else if (kind === 'restore' && backup !== undefined && backup !== '') {
      replicas[place] = group.restoreDisk(at(place), backup);
      backups.set(place, '');
    }
  }

  function settle(): void {
    for (let round = 0; round < 25; round += 1) {
      let moved = 0;
      for (let place = 1; place < NODES.length; place += 1) moved += pullAll(place) + offerAll(place);
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

  function play(steps: readonly Step[], isAllowed: (one: Step) => boolean): void {
    group.clear();
    replicas = NODES.map((node) => group.add(node));
    invitations = new Map();
    backups = new Map();
    settle();
    for (const one of steps) if (isAllowed(one)) take(one);
    settle();
    const [first, ...others] = replicas.map(stateOf);
    for (const other of others) expect(other).to.deep.equal(first);
  }

  const histories = fc.array(step, { minLength: 5, maxLength: 50, size: 'max' });

  it('converge, whatever was offered late or twice, and whichever answer was lost', function () {
    this.timeout(RUNS * 10_000);
    const isAllowed = ({ kind }: Step) => kind !== 'restore';
    fc.assert(
      fc.property(histories, (steps) => {
        play(steps, isAllowed);
      }),
      { numRuns: RUNS, seed: printedSeed(RUNS), endOnFailure: true },
    );
  });

  it('converge where disks were put back as well', function () {
    this.timeout(RUNS * 10_000);
    const isAllowed = ({ kind }: Step) => kind !== 'prune';
    fc.assert(
      fc.property(histories, (steps) => {
        play(steps, isAllowed);
      }),
      { numRuns: RUNS, seed: printedSeed(RUNS), endOnFailure: true },
    );
  });
});
