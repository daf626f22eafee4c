import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as soon } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { Checkpoints } from '#src/database/checkpoints.js';
import { ForeignCommits } from '#src/database/foreign-commits.js';
import { Transactions } from '#src/database/transactions.js';
import { checkpointWal } from '#src/database/wal.js';
import { scratchFolder } from '../scratch.js';

/** Commits a row every ms or so, and says so after a hundred. */
const BUSY_WRITER = `
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=5, isolation_level=None)
for committed in range(1000):
    if committed == 100: print('writing', flush=True)
    connection.execute('INSERT INTO theirs VALUES (1)')
    time.sleep(0.001)
`;

describe('the checkpoints after our transactions', function () {
  this.timeout(30_000);

  it('checkpoint a WAL that has become long once the commit was answered', async () => {
    const database = new BetterSqlite3(join(scratchFolder(), 'app.db'));
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE ours (content)');
    checkpointWal(database, 'TRUNCATE');
    const transactions = new Transactions(database, 5_000, () => undefined);
    const insert = database.prepare('INSERT INTO ours VALUES (zeroblob(?))');
    await transactions.run(() => insert.run(2_000 * 4096));
    const answered = checkpointWal(database, 'NOOP');
    await soon();
    const later = checkpointWal(database, 'NOOP');
    database.close();
    expect(answered).to.include({ checkpointed: 0 });
    expect(answered.log).to.be.above(2_000);
    expect(later).to.include({ log: answered.log, checkpointed: answered.log });
  });

  it('leave no checkpoint to a program that writes all the time', async () => {
    const folder = scratchFolder();
    const file = join(folder, 'app.db');
    const link = join(folder, 'link.db');
    symlinkSync(file, link);
    const database = new BetterSqlite3(link, { timeout: 100 });
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE ours (content); CREATE TABLE theirs (id)');
    const insert = database.prepare('INSERT INTO ours VALUES (zeroblob(40 * 4096))');
    const transactions = new Transactions(database, 5_000, () => undefined);
    const program = spawn('python3', ['-c', BUSY_WRITER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    let isWriting = false;
    let running = true;
    program.stdout.once('data', () => (isWriting = true));
    const ended = once(program, 'exit').then(() => (running = false));
    let pages = 0;
    while (running) {
      await transactions.run(() => insert.run());
      if (!isWriting) continue;
      // It may have become longer where nobody knew yet that the program writes.
      if (pages > 0 || checkpointWal(database, 'TRUNCATE').busy === 0) pages += 40;
    }
    await ended;
    // It keeps the size of its longest time, and the program makes the checkpoint from 1,000 pages on.
    const longest = statSync(`${file}-wal`).size / (4096 + 24);
    database.close();
    expect(pages).to.be.above(2_000);
    expect(longest).to.be.below(1_000);
  });

  it('are tried again where a program that reads holds them back only once as much was added', async () => {
    const file = join(scratchFolder(), 'app.db');
    const database = new BetterSqlite3(file);
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE ours (content); CREATE TABLE theirs (id)');
    const program = new BetterSqlite3(file);
    program.pragma('wal_autocheckpoint = 0');
    const commits = new ForeignCommits(database);
    let made = 0;
    const checkpoints = new Checkpoints(database, commits, () => (made += 1));
    /** 42 pages of ours, 1 of the program's. */
    const write = async () => {
      database.exec('INSERT INTO ours VALUES (zeroblob(40 * 4096))');
      program.exec('INSERT INTO theirs VALUES (1)');
      commits.look();
      checkpoints.plan();
      await soon();
    };
    for (let run = 0; run < 3; run += 1) await write();
    const reader = new BetterSqlite3(file);
    reader.exec('BEGIN; SELECT count(*) FROM theirs');
    for (let run = 0; run < 72; run += 1) await write();
    const madeBesideReader = made;
    reader.exec('COMMIT');
    for (let run = 0; run < 15; run += 1) await write();
    const { log } = checkpointWal(database, 'NOOP');
    for (const connection of [reader, program, database]) connection.close();
    // more than 3,000 pages, 500 at a time
    expect(madeBesideReader).to.be.within(5, 7);
    expect(log, 'pages once it has begun anew').to.be.below(500);
  });

  it('leave a short WAL as it is', async () => {
    const database = new BetterSqlite3(join(scratchFolder(), 'app.db'));
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE ours (content)');
    checkpointWal(database, 'TRUNCATE');
    const transactions = new Transactions(database, 5_000, () => undefined);
    await transactions.run(() => database.exec('INSERT INTO ours VALUES (1)'));
    await soon();
    const rest = checkpointWal(database, 'NOOP');
    database.close();
    expect(rest).to.include({ checkpointed: 0 });
    expect(rest.log).to.be.above(0);
  });
});
