import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as soon, setTimeout as pause } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { Transactions } from '#src/database/transactions.js';
import { scratchFolder } from '../scratch.js';

/** Commits fifty rows, one every few ms, and says how often it was refused; waits 1 s for the lock at most. */
const WRITER = `
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=1, isolation_level=None)
refused = committed = 0
while committed < 50:
    try:
        connection.execute('INSERT INTO theirs VALUES (1)')
        committed += 1
    except sqlite3.OperationalError:
        refused += 1
    time.sleep(0.005)
print(committed, refused)
`;

/** Forty transactions of 20 ms, one after the other without a pause, and says how often it was refused. */
const TIRELESS = `
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=1, isolation_level=None)
refused = committed = 0
while committed < 40:
    try:
        connection.execute('BEGIN IMMEDIATE')
    except sqlite3.OperationalError:
        refused += 1
        continue
    connection.execute('INSERT INTO theirs VALUES (1)')
    time.sleep(0.02)
    connection.execute('COMMIT')
    committed += 1
print(refused)
`;

describe('transactions of ours, one after the other', function () {
  this.timeout(30_000);

  it('leave a program that waits one second at most its turn, hold the lock more briefly once it writes, and checkpoint before it has to', async () => {
    const file = join(scratchFolder(), 'app.db');
    const database = new BetterSqlite3(file);
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE ours (id); CREATE TABLE theirs (id)');
    const transactions = new Transactions(database, 5_000, () => undefined);
    expect(transactions.boxMs).to.equal(200);
    const program = spawn('python3', ['-c', WRITER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const output = text(program.stdout);
    let running = true;
    const ended = once(program, 'exit').then(() => (running = false));
    const boxes = new Set<string>();
    const checkpoints = new Set<unknown>();
    while (running) {
      await transactions.run(() => {
        boxes.add(transactions.boxMs === 1 ? 'short' : 'long');
        checkpoints.add(transactions.checkpointPages);
        hold(database, transactions.boxMs);
      });
    }
    await ended;
    const [committed, refused] = (await output).split(' ').map(Number);
    database.close();
    expect({ committed, refused }).to.deep.equal({ committed: 50, refused: 0 });
    expect([...boxes]).to.deep.equal(['long', 'short']);
    expect([...checkpoints]).to.deep.equal([1000, 500]);
  });

  it('take turns with a program that leaves no pause: it commits between two of ours that hold the lock for long', async () => {
    const file = join(scratchFolder(), 'app.db');
    const database = new BetterSqlite3(file, { timeout: 100 });
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE ours (id); CREATE TABLE theirs (id)');
    const transactions = new Transactions(database, 20_000, () => undefined);
    const theirs = database.prepare<[], number>('SELECT count(*) FROM theirs').pluck();
    const program = spawn('python3', ['-c', TIRELESS, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const output = text(program.stdout);
    const turns: number[] = [];
    for (let before = 0; before < 40;) {
      const now = await transactions.run(() => {
        hold(database, transactions.boxMs);
        return theirs.get() ?? 0;
      }, true);
      if (before > 0) turns.push(now - before);
      before = now;
    }
    expect(Number(await output), 'refused').to.equal(0);
    database.close();
    expect(turns.length, 'turns').to.be.at.least(6);
    const lost = turns.filter((committed) => committed === 0).length;
    expect(lost, `turns without a commit, of ${turns.join(' ')}`).to.be.at.most(turns.length / 5);
  });

  it('tell a program that commits twice in one turn from one that commits once', async () => {
    const file = join(scratchFolder(), 'app.db');
    const database = new BetterSqlite3(file);
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE ours (id); CREATE TABLE theirs (id)');
    const program = new BetterSqlite3(file);
    const insert = program.prepare('INSERT INTO theirs VALUES (1)');
    /** Whether it counts as writing a moment after our turn; null where the machine held us up too long to say. */
    const isSeenWriting = async (commits: number): Promise<boolean | null> => {
      const transactions = new Transactions(database, 5_000, () => undefined);
      // so long that the others have their turn
      await transactions.run(() => hold(database, 700));
      const startedMs = performance.now();
      const turn = transactions.run(() => undefined);
      for (let commit = 0; commit < commits; commit += 1) {
        await pause(25);
        insert.run();
      }
      const wroteMs = performance.now() - startedMs;
      await turn;
      // a commit that stays alone is forgotten by then
      await pause(60);
      return wroteMs > 120 || performance.now() - startedMs > 400 ? null : transactions.boxMs === 1;
    };
    const seen = async (commits: number): Promise<boolean> => (await isSeenWriting(commits)) ?? seen(commits);
    expect(await seen(1), 'one commit').to.equal(false);
    expect(await seen(2), 'two commits').to.equal(true);
    program.close();
    database.close();
  });

  it('are given less to do where the one before took much longer than it was to', async () => {
    const database = new BetterSqlite3(join(scratchFolder(), 'app.db'));
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE ours (id)');
    const transactions = new Transactions(database, 5_000, () => undefined);
    await transactions.run(() => hold(database, 2 * transactions.boxMs));
    const slowed = transactions.boxMs;
    expect(slowed).to.be.at.most(100);
    for (let run = 0; run < 60; run += 1) await transactions.run(() => undefined);
    expect(transactions.boxMs).to.equal(200);
    database.close();
  });

  it('checkpoint a WAL that has become long once the commit was answered', async () => {
    const database = new BetterSqlite3(join(scratchFolder(), 'app.db'));
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE ours (content)');
    database.pragma('wal_checkpoint(TRUNCATE)');
    const transactions = new Transactions(database, 5_000, () => undefined);
    const insert = database.prepare('INSERT INTO ours VALUES (zeroblob(?))');
    const rest = () => database.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[];
    await transactions.run(() => insert.run(2_000 * 4096));
    const [answered] = rest();
    await soon();
    const [later] = rest();
    database.close();
    expect(answered).to.include({ checkpointed: 0 });
    expect(answered?.log).to.be.above(2_000);
    expect(later).to.include({ log: answered?.log, checkpointed: answered?.log });
  });

  it('leave a short WAL as it is', async () => {
    const database = new BetterSqlite3(join(scratchFolder(), 'app.db'));
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE ours (content)');
    database.pragma('wal_checkpoint(TRUNCATE)');
    const transactions = new Transactions(database, 5_000, () => undefined);
    await transactions.run(() => database.exec('INSERT INTO ours VALUES (1)'));
    await soon();
    const [rest] = database.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[];
    database.close();
    expect(rest).to.include({ checkpointed: 0 });
    expect(rest?.log).to.be.above(0);
  });
});

/** Writes for so long. */
function hold(database: BetterSqlite3.Database, ms: number): void {
  const insert = database.prepare('INSERT INTO ours VALUES (1)');
  for (const end = performance.now() + ms; performance.now() < end;) insert.run();
}
