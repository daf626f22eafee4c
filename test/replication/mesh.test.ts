import { expect } from 'chai';
import fc from 'fast-check';
import { literal, statement, template } from '#src/sql/template.js';
import { printedSeed } from '../random.js';
import { QuickGroup, tableConfig, type QuickReplica } from './quick-replica.js';

const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER)';
const NODES = ['ann', 'bob', 'cid', 'dan', 'eve'];
const ROUNDS = 20;
const CHANGES_A_ROUND = 100;

describe('a full mesh of five', () => {
  let group: QuickGroup;
  before(() => (group = new QuickGroup(SCHEMA, [tableConfig('words', { timestampColumn: 'updated_at' })])));
  afterEach(() => group.clear());
  after(() => group.remove());

  function meetAll(replicas: readonly QuickReplica[]): number {
    let received = 0;
    for (const puller of replicas) {
      for (const peer of replicas) if (peer !== puller) received += puller.pullFrom(peer, 1_000).received;
    }
    return received;
  }

  function wordsOf(replica: QuickReplica): unknown {
    return replica.app.prepare('SELECT * FROM words ORDER BY id').raw().all();
  }

  function write(replica: QuickReplica, round: number): void {
    const insert = replica.app.prepare('INSERT INTO words VALUES (?, ?, ?)');
    replica.app.transaction(() => {
      for (let i = 0; i < CHANGES_A_ROUND; i += 1) {
        insert.run(`${replica.node}-${round}-${i}`, 'word', BigInt(group.nowMs));
      }
    })();
  }

  it('transfers each of 10,000 changes about once to each replica, in whatever order they meet', function () {
    this.timeout(120_000);
    const runs = 1;
    const order = fc.array(fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 4 })), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(order, { minLength: ROUNDS, maxLength: ROUNDS }), (orders) => {
        group.clear();
        const replicas = NODES.map((node) => group.add(node));
        meetAll(replicas);
        let received = 0;
        for (const [round, pairs] of orders.entries()) {
          group.nowMs += 1_000;
          for (const replica of replicas) write(replica, round);
          for (const [a, b] of pairs) {
            const [puller, peer] = [replicas[a], replicas[b]];
            if (puller !== undefined && peer !== undefined && puller !== peer) {
              received += puller.pullFrom(peer, 1_000).received;
            }
          }
        }
        received += meetAll(replicas) + meetAll(replicas);
        expect(meetAll(replicas)).to.equal(0);
        const ideal = NODES.length * (NODES.length - 1) * ROUNDS * CHANGES_A_ROUND;
        console.log(`      ${received} rows transferred, ${ideal} needed`);
        const [first, ...others] = replicas.map(wordsOf);
        expect(first).to.have.length(NODES.length * ROUNDS * CHANGES_A_ROUND);
        for (const other of others) expect(other).to.deep.equal(first);
        expect(received)
          .to.be.at.most(ideal * 1.1)
          .and.at.least(ideal);
      }),
      { numRuns: runs, seed: printedSeed(runs), endOnFailure: true },
    );
  });

  it('compares everything again when it is asked to, whatever is claimed', () => {
    const [ann, bob] = NODES.map((node) => group.add(node)) as [QuickReplica, QuickReplica];
    write(ann, 0);
    bob.pullFrom(ann, 30);
    bob.app.prepare(`UPDATE _sync_peers SET cursor = ''`).run();
    expect(bob.pullFrom(ann, 30).received).to.equal(CHANGES_A_ROUND);
    expect(bob.pullFrom(ann, 30).received).to.equal(0);
  });

  it('reads a stretch of the log, not all of it, for a puller that has most of it', () => {
    const [ann, bob, cid] = NODES.map((node) => group.add(node)) as [
      QuickReplica,
      QuickReplica,
      QuickReplica,
    ];
    meetAll([ann, bob, cid]);
    write(ann, 0);
    bob.pullFrom(ann, 1_000);
    cid.pullFrom(bob, 1_000);
    expect(cid.pullFrom(ann, 1_000).received).to.equal(0);
    const entries = template('feed/entries', {
      tableNames: literal('words'),
      forPuller: template('feed/for-puller', {
        cameFromPuller: statement('feed/from-puller'),
        mayBePruned: statement('feed/may-be-pruned'),
      }),
    });
    const bound = { since: 1, limit: 5, pullerOrigin: 1 };
    const [plan] = ann.app.prepare(`EXPLAIN QUERY PLAN ${entries}`).all(bound) as { detail: string }[];
    expect(plan?.detail).to.equal('SEARCH c USING INTEGER PRIMARY KEY (rowid>?)');
  });
});
