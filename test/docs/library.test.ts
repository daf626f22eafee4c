import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { backfill, migrate, openReplica } from '#src/index.js';
import { scratchFolder } from '../scratch.js';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { scriptOf, withFreePorts, Workplace } from './script.js';

describe('The library', function () {
  this.timeout(60_000);

  function application(): string {
    const folder = scratchFolder();
    const app = new BetterSqlite3(join(folder, 'app.db'));
    app.exec("CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT); INSERT INTO words VALUES ('a', 'x')");
    app.close();
    const file = join(folder, 'sync-config.yaml');
    writeFileSync(
      file,
      'node: { id: ann, listen: 127.0.0.1:0 }\ndatabase: { path: ./app.db }\ntables: [{ name: words }]\nlog: { level: error }\n',
    );
    return file;
  }
  const quiet = () => ({ logger: new LogRecorder().logger });

  it('opens a database that it prepares itself, by the path of the configuration', async () => {
    const replica = await openReplica(application(), { migrate: true, ...quiet() });
    const status = await replica.status();
    await replica.stop();
    expect(status).to.deep.include({ node: 'ann', tables: ['words'], backfill_needed: [], running: false });
  });

  it('refuses one that is not prepared where it was not asked to', async () => {
    const error = await openReplica(application(), quiet()).catch((each: unknown) => each);
    expect(error).to.include({ code: 'not_migrated' });
  });

  it('migrates and backfills, and reports what the commands report', async () => {
    const file = application();
    const planned = await migrate(file, { dryRun: true, ...quiet() });
    expect(planned).to.include({ changed: true, fresh: true, backup: null });
    const done = await migrate(file, quiet());
    expect(done.backup).to.contain('app.db');
    expect(await migrate(file, quiet())).to.include({ changed: false, fresh: false, backup: null });
    expect(await backfill(file, { tables: ['words'], ...quiet() })).to.deep.equal([
      { table: 'words', rows: 1, versions: 1 },
    ]);
  });

  it('is shown by a program that runs', async () => {
    const workplace = new Workplace();
    try {
      const app = new BetterSqlite3(workplace.path('my-app.db'));
      app.exec('CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT)');
      app.close();
      const script = `sqlite-p2p-sync init --db my-app.db --node desktop --listen 127.0.0.1:8091\ncat > app.mjs <<'END'\n${scriptOf('docs/library.md', 'js run')}\nEND\nnode app.mjs`;
      const { code, output } = await workplace.run(await withFreePorts(script));
      expect(code, output).to.equal(0);
      expect(output).to.match(/desktop at 127\.0\.0\.1:\d+: 0 conflicts/);
    } finally {
      workplace.remove();
    }
  });
});
