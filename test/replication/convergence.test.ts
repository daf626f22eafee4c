import { expect } from 'chai';
import fc from 'fast-check';
import { printedSeed, runsOf } from '../random.js';
import { QuickGroup, tableConfig, type QuickReplica } from './quick-replica.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER, deleted_at INTEGER);
  CREATE TABLE marks (user_id TEXT, word_id INTEGER, mark, PRIMARY KEY (user_id, word_id)) WITHOUT ROWID;
  CREATE TABLE notes (id BLOB PRIMARY KEY, body BLOB);
  CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT COLLATE NOCASE UNIQUE, a, b, UNIQUE (a, b));
`;

const TABLES = [
  tableConfig('words', { timestampColumn: 'updated_at', softDeleteColumn: 'deleted_at' }),
  tableConfig('marks'),
  tableConfig('notes'),
  tableConfig('users'),
];

type Step =
  | {
      do: 'write';
      replica: number;
      key: number;
      value: number;
      clockMs: number;
      table: 'words' | 'marks' | 'notes' | 'users';
    }
  | { do: 'soft' | 'delete' | 'rename'; replica: number; key: number; value: number; clockMs: number }
  | { do: 'fold'; replica: number }
  | { do: 'pull'; replica: number; peer: number };

const RUNS = runsOf({ suite: 100, random: 500, soak: 4_000 });
const KEYS = 4;
const replicaNumber = fc.nat({ max: 3 });
const key = fc.nat({ max: KEYS - 1 });
const value = fc.nat({ max: 3 });
/** Up to a day off, either way, and often equal. */
const clockMs = fc.oneof(fc.constant(0), fc.integer({ min: -86_400_000, max: 86_400_000 }));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      replica: replicaNumber,
      key,
      value,
      clockMs,
      table: fc.constantFrom('words' as const, 'marks' as const, 'notes' as const, 'users' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('soft' as const, 'delete' as const, 'rename' as const),
      replica: replicaNumber,
      key,
      value,
      clockMs,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fold' as const), replica: replicaNumber }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('pull' as const), replica: replicaNumber, peer: replicaNumber }),
  },
);

describe('random histories', () => {
  let group: QuickGroup;
  before(() => (group = new QuickGroup(SCHEMA, TABLES)));
  afterEach(() => group.clear());
  after(() => group.remove());

  it('converge, whatever was written where, in whatever order replicas met', function () {
    this.timeout(RUNS * 10_000);
    const seed = printedSeed(RUNS);
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.integer({ min: 2, max: 4 }),
        (steps, count) => {
          group.clear();
          const replicas = ['ann', 'bob', 'cid', 'dan'].slice(0, count).map((node) => group.add(node));
          for (const one of steps) take(one, replicas);
          settle(replicas);
          const [first, ...others] = replicas.map(contentOf);
          for (const other of others) expect(other).to.deep.equal(first);
          expectQuiet(replicas);
        },
      ),
      { numRuns: RUNS, seed, endOnFailure: false },
    );
  });

  function take(one: Step, replicas: readonly QuickReplica[]): void {
    group.nowMs += 7;
    const replica = replicas[one.replica % replicas.length];
    if (replica === undefined) return;
    switch (one.do) {
      case 'pull': {
        const peer = replicas[one.peer % replicas.length];
        if (peer !== undefined && peer !== replica) replica.pullFrom(peer);
        return;
      }
      case 'fold':
        replica.fold();
        return;
      case 'write':
        write(replica, one.table, one.key, one.value, group.nowMs + one.clockMs);
        return;
      case 'soft':
        replica.app
          .prepare('UPDATE words SET deleted_at = ?, updated_at = ? WHERE id = ?')
          .run(BigInt(group.nowMs), BigInt(group.nowMs + one.clockMs), `w${one.key}`);
        return;
      case 'delete':
        replica.app.prepare('DELETE FROM words WHERE id = ?').run(`w${one.key}`);
        replica.app.prepare('DELETE FROM marks WHERE user_id = ?').run(`u${one.value}`);
        return;
      case 'rename':
        replica.app
          .prepare('UPDATE OR REPLACE users SET email = ? WHERE id = ?')
          .run(['x', 'y', 'z', null][one.value] ?? null, `u${one.key}`);
        replica.app
          .prepare('UPDATE OR IGNORE words SET id = ? WHERE id = ?')
          .run(`w${(one.key + one.value) % KEYS}`, `w${one.key}`);
    }
  }
});

function write(replica: QuickReplica, table: string, key: number, value: number, clock: number): void {
  switch (table) {
    case 'words':
      replica.app
        .prepare(
          `INSERT INTO words VALUES (?, ?, ?, NULL)
           ON CONFLICT (id) DO UPDATE SET english = excluded.english, updated_at = excluded.updated_at`,
        )
        .run(`w${key}`, `word ${value}`, BigInt(clock));
      return;
    case 'marks':
      replica.app
        .prepare('INSERT OR REPLACE INTO marks VALUES (?, ?, ?)')
        .run(`u${value % 2}`, BigInt(key), value % 2 === 0 ? BigInt(value) : value);
      return;
    case 'users':
      replica.app
        .prepare('INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?)')
        .run(`u${key}`, ['x', 'X', 'y', null][value] ?? null, BigInt(Math.abs(clock) % 2), BigInt(value % 2));
      return;
    default:
      replica.app
        .prepare('INSERT OR REPLACE INTO notes VALUES (?, ?)')
        .run(Buffer.from([0, key]), Buffer.from([value]));
  }
}

/** Everyone pulls from everyone until nothing moves any more. */
function settle(replicas: readonly QuickReplica[]): void {
  for (let round = 0; round < 10; round += 1) {
    let received = 0;
    for (const replica of replicas) {
      for (const peer of replicas) if (peer !== replica) received += replica.pullFrom(peer).received;
    }
    if (received === 0) return;
  }
  throw new Error('still moving after ten rounds');
}

function expectQuiet(replicas: readonly QuickReplica[]): void {
  const heads = replicas.map(logOf);
  for (const replica of replicas) {
    for (const peer of replicas) {
      if (peer !== replica) expect(replica.pullFrom(peer).received).to.equal(0);
    }
  }
  expect(replicas.map(logOf)).to.deep.equal(heads);
}

function logOf(replica: QuickReplica): unknown {
  return replica.app
    .prepare(
      "SELECT (SELECT seq FROM sqlite_sequence WHERE name = '_sync_changes') AS head, count(*) AS entries FROM _sync_changes",
    )
    .get();
}

function contentOf(replica: QuickReplica): unknown {
  return {
    words: replica.app.prepare('SELECT *, typeof(english), typeof(updated_at) FROM words ORDER BY id').all(),
    marks: replica.app.prepare('SELECT *, typeof(mark) FROM marks ORDER BY user_id, word_id').all(),
    notes: replica.app.prepare('SELECT hex(id), hex(body), typeof(body) FROM notes ORDER BY id').all(),
    users: replica.app.prepare('SELECT * FROM users ORDER BY id').all(),
    held: replica.app.prepare('SELECT reason FROM _sync_quarantine').all(),
    versions: replica.app
      .prepare(
        `SELECT table_name, hex(record_id), record_id_2, timestamp, o.name, hex(fingerprint)
         FROM _sync_changes AS c LEFT JOIN _sync_origins AS o ON o.id = c.origin ORDER BY 1, 2, 3`,
      )
      .all(),
  };
}
