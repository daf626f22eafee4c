import { expect } from 'chai';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';

const SCHEMA = `CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT UNIQUE, name TEXT)`;

/** More than one statement takes, and some over. */
const ROWS = 9;

/** How a trigger of the app's may answer a row that it does not want. */
const refusing = (answer: string) =>
  `CREATE TRIGGER refusing BEFORE INSERT ON users WHEN NEW.name = 'row 6' BEGIN SELECT ${answer}; END`;

describe('new rows that are entered together', () => {
  let group: QuickGroup;
  before(() => (group = new QuickGroup(SCHEMA, [tableConfig('users')])));
  afterEach(() => group.clear());
  after(() => group.remove());

  function filled(alter = ''): [QuickReplica, QuickReplica] {
    const [ann, bob] = [group.add('ann'), group.add('bob', alter)];
    const insert = ann.app.prepare('INSERT INTO users VALUES (?, ?, ?)');
    for (let row = 0; row < ROWS; row += 1) insert.run(`u${row}`, `${row}@here`, `row ${row}`);
    return [ann, bob];
  }

  function users(replica: QuickReplica): unknown[] {
    return replica.app.prepare('SELECT * FROM users ORDER BY id').all();
  }

  /** Without the log ids: those are each replica's own. */
  function versions(replica: QuickReplica): unknown[] {
    return replica.app
      .prepare(
        `SELECT record_id, operation, timestamp, typeof(timestamp) AS of, hex(fingerprint) AS fingerprint, name AS origin
         FROM _sync_changes AS c JOIN _sync_origins AS o ON o.id = c.origin ORDER BY record_id`,
      )
      .all();
  }

  it('are as if each had come alone', () => {
    const [ann, bob] = filled();
    expect(bob.pullFrom(ann, ROWS)).to.include({ applied: ROWS, conflicts: 0, quarantined: 0 });
    expect(users(bob)).to.deep.equal(users(ann));
    expect(versions(bob)).to.deep.equal(versions(ann));
    expect(bob.pullFrom(ann, ROWS)).to.include({ received: 0 });
  });

  it('come one by one where a row is there already that the changelog does not know', () => {
    const [ann, bob] = filled();
    bob.app.exec(`UPDATE _sync_guard SET applying = 1;
      INSERT INTO users VALUES ('u5', '5@here', 'row 5');
      UPDATE _sync_guard SET applying = 0`);
    expect(bob.pullFrom(ann, ROWS)).to.include({ applied: ROWS - 1, conflicts: 0, quarantined: 0 });
    expect(users(bob)).to.deep.equal(users(ann));
  });

  for (const answer of [
    `RAISE(ABORT, 'no')`,
    `RAISE(FAIL, 'no')`,
    `RAISE(ROLLBACK, 'no')`,
    'RAISE(IGNORE)',
  ]) {
    it(`keep the others from nothing where a trigger answers one with ${answer}`, () => {
      const [ann, bob] = filled(refusing(answer));
      expect(bob.pullFrom(ann, ROWS)).to.include({ applied: ROWS - 1, quarantined: 1 });
      expect(users(bob)).to.deep.equal(users(ann).filter((_, row) => row !== 6));
      expect(versions(bob)).to.deep.equal(versions(ann).filter((_, row) => row !== 6));
    });
  }

  it('stop before a row that the changelog knows', () => {
    const [ann, bob] = filled();
    bob.pullFrom(ann, ROWS);
    ann.app.exec(`UPDATE users SET name = 'edited' WHERE id = 'u1';
      INSERT INTO users SELECT 'n' || id, 'n' || email, name FROM users`);
    expect(bob.pullFrom(ann, 3 * ROWS)).to.include({ applied: ROWS + 1, conflicts: 0, quarantined: 0 });
    expect(users(bob)).to.deep.equal(users(ann));
  });
});
