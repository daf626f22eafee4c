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
        watchFile(path, resolve, { logger: log.logger, signal: end.signal });
      });
      app.exec("INSERT INTO words VALUES ('a')");
      await hinted;
      expect(log.of('no hints of commits from the file: they are looked for only')).to.have.length(
        mode === 'WAL' ? 0 : 1,
      );
      app.close();
    });
  }
});
