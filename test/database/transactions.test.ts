import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
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

/** Reads for 30 ms, again and again. */
const READER = `
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=5, isolation_level=None)
while True:
    connection.execute('BEGIN')
    connection.execute('SELECT count(*) FROM theirs').fetchall()
    print('reading', flush=True)
    time.sleep(0.03)
    connection.execute('COMMIT')
    time.sleep(0.01)
`;

describe('transactions of ours, one after the other', function () {
  this.timeout(30_000);

  it('leave a program that waits one second at most its turn, and hold the lock more briefly once it writes', async () => {
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
    while (running) {
      await transactions.run(() => {
        boxes.add(transactions.boxMs === 1 ? 'short' : 'long');
        hold(database, transactions.boxMs);
      });
    }
    await ended;
    const [committed, refused] = (await output).split(' ').map(Number);
    database.close();
    expect({ committed, refused }).to.deep.equal({ committed: 50, refused: 0 });
    expect([...boxes]).to.deep.equal(['long', 'short']);
  });

  it('rest after a long one beside a program that writes until it has committed, 150 ms at most', async () => {
    const { database, program, insert, transactions } = await besideWriter();
    /** Which came first, our next transaction or a commit so long after the last; null where the machine was too slow to say. */
    const firstOf = async (afterMs: number): Promise<string | null> => {
      await transactions.run(() => hold(database, transactions.boxMs), true);
      const startedMs = performance.now();
      let first = 'commit';
      const next = transactions.run(() => (first = 'ours'), true);
      await Promise.race([next, pause(afterMs)]);
      const waitedMs = performance.now() - startedMs;
      if (first === 'commit') insert.run();
      const found = first;
      await next;
      return waitedMs > afterMs + 30 ? null : found;
    };
    const found = async (afterMs: number): Promise<string> => (await firstOf(afterMs)) ?? found(afterMs);
    expect(await found(90)).to.equal('commit');
    expect(await found(400)).to.equal('ours');
    program.close();
    database.close();
  });

  it('run their work once, and leave SQLite its own looks, where they were kept from the lock', async () => {
    const { database, program, transactions } = await besideWriter();
    program.exec('BEGIN IMMEDIATE');
    let runs = 0;
    const ours = transactions.run(() => (runs += 1), true);
    await pause(100);
    expect(runs, 'while it holds the lock').to.equal(0);
    program.exec('COMMIT');
    await ours;
    expect(runs).to.equal(1);
    expect(database.pragma('busy_timeout', { simple: true })).to.equal(100);
    program.close();
    database.close();
  });

  it('go on without a WAL, where a look for commits fails while another program writes', async () => {
    const { database, program, transactions } = await besideWriter('DELETE');
    await transactions.run(() => undefined, true);
    program.exec('BEGIN EXCLUSIVE');
    const ours = transactions.run(() => 'done', true);
    await pause(150);
    program.exec('COMMIT');
    expect(await ours).to.equal('done');
    program.close();
    database.close();
  });

  it('wait at the commit for a program that reads, without a WAL', async () => {
    const { file, database, program, insert, transactions } = await besideWriter('DELETE');
    const reader = spawn('python3', ['-c', READER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(reader.stdout, 'data');
    let runs = 0;
    for (let run = 0; run < 10; run += 1) {
      insert.run();
      await transactions.run(() => {
        runs += 1;
        database.exec('INSERT INTO ours VALUES (1)');
      }, true);
    }
    reader.kill();
    program.close();
    database.close();
    expect(runs).to.be.at.most(14);
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
});

/** Transactions beside a program of this process that was just seen to commit again and again. */
async function besideWriter(journalMode = 'WAL') {
  const file = join(scratchFolder(), 'app.db');
  const database = new BetterSqlite3(file, { timeout: 100 });
  database.pragma(`journal_mode = ${journalMode}`);
  database.exec('CREATE TABLE ours (id); CREATE TABLE theirs (id)');
  const program = new BetterSqlite3(file);
  const insert = program.prepare('INSERT INTO theirs VALUES (1)');
  const transactions = new Transactions(database, 5_000, () => undefined);
  for (let commit = 0; commit < 3; commit += 1) {
    await transactions.run(() => undefined);
    insert.run();
  }
  await transactions.run(() => undefined);
  return { file, database, program, insert, transactions };
}

/** Writes for so long. */
function hold(database: BetterSqlite3.Database, ms: number): void {
  const insert = database.prepare('INSERT INTO ours VALUES (1)');
  for (const end = performance.now() + ms; performance.now() < end;) insert.run();
}
