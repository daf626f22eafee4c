import { EventEmitter, once } from 'node:events';
import { utimesSync, watch } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { watchFile } from '#src/replica/file-hints.js';
import { scratchFolder } from '../scratch.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';

describe('hints from the database file', () => {
  let end: AbortController;
  beforeEach(() => (end = new AbortController()));
  afterEach(() => {
    end.abort();
  });

  for (const mode of ['WAL', 'DELETE']) {
    it(`come when another connection commits, in journal mode ${mode}`, async () => {
      const path = join(scratchFolder(), 'app.db');
      const app = new BetterSqlite3(path);
      app.pragma(`journal_mode = ${mode}`);
      app.exec('CREATE TABLE words (id TEXT PRIMARY KEY)');
      const log = new LogRecorder();
      const hinted = new Promise<void>((resolve) => {
        watchFile(path, resolve, { logger: log.logger, signal: end.signal })();
      });
      app.exec("INSERT INTO words VALUES ('a')");
      await hinted;
      expect(log.of('no hints of commits from the file: they are looked for only')).to.have.length(
        mode === 'WAL' ? 0 : 1,
      );
      app.close();
    });
  }

  it('come once each time they are asked for', async () => {
    const path = join(scratchFolder(), 'app.db');
    const app = new BetterSqlite3(path);
    app.pragma('journal_mode = WAL');
    app.exec('CREATE TABLE words (id INTEGER PRIMARY KEY)');
    const events = new EventEmitter();
    let hints = 0;
    const arm = watchFile(
      path,
      () => {
        hints += 1;
        events.emit('hint');
      },
      { logger: new LogRecorder().logger, signal: end.signal },
    );
    for (const expected of [1, 2, 3]) {
      arm();
      const hinted = once(events, 'hint');
      for (let commit = 0; commit < 20; commit += 1) app.exec('INSERT INTO words VALUES (NULL)');
      await hinted;
      for (let commit = 0; commit < 20; commit += 1) app.exec('INSERT INTO words VALUES (NULL)');
      await nothingMore(path);
      expect(hints).to.equal(expected);
    }
    app.close();
  });

  it('come from a WAL that was not there when they were first asked for', async () => {
    const path = join(scratchFolder(), 'app.db');
    const app = new BetterSqlite3(path);
    app.exec('CREATE TABLE words (id INTEGER PRIMARY KEY)');
    const log = new LogRecorder();
    const hinted = new EventEmitter();
    const arm = watchFile(path, () => hinted.emit('hint'), { logger: log.logger, signal: end.signal });
    arm();
    const first = once(hinted, 'hint');
    app.pragma('journal_mode = WAL');
    await first;
    // With its first transaction there is a WAL.
    app.exec('INSERT INTO words VALUES (NULL)');
    arm();
    const second = once(hinted, 'hint');
    app.exec('INSERT INTO words VALUES (NULL)');
    await second;
    expect(log.of('no hints of commits from the file: they are looked for only')).to.have.length(1);
    app.close();
  });
});

/** Resolves when what happened to the file before would have been told: the system tells in order. */
async function nothingMore(path: string): Promise<void> {
  const told = new AbortController();
  const event = once(watch(`${path}-wal`, { signal: told.signal }), 'change');
  utimesSync(`${path}-wal`, new Date(), new Date());
  await event;
  told.abort();
  await new Promise(setImmediate);
}
