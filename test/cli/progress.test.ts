import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { createShop, SHOP_TABLES } from '../convert/shop.js';
import { execute } from '../replication/content.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { ReplicaGroup, until } from '../replication/group.js';
import { addWords, createDatabaseFile } from '../stand-ins/database-file.js';
import { runOnTerminal, startOnTerminal } from '../stand-ins/terminal.js';
import { scratchFolder } from '../scratch.js';

const WORDS = { name: 'words', timestamp_column: 'updated_at' };

withPrograms(['python3'], () => {
  describe('On a terminal', function () {
    this.timeout(60_000);

    async function outputOf(args: readonly string[]): Promise<string> {
      const { code, lines } = await runOnTerminal(args);
      expect(code, lines.join('\n')).to.equal(0);
      return lines.join('\n');
    }

    it('migrate, backfill and backup show how far they are', async () => {
      const { file, app } = await createDatabaseFile('ann', { migrated: false });
      addWords(app, 'a', 'b', 'c');
      expect(await outputOf(['migrate', '--config', file])).to.match(/backup .+100% (\d+)\/\1 pages/);
      expect(await outputOf(['backfill', '--config', file])).to.match(/words .+100% 3\/3 rows/);
      const target = join(scratchFolder(), 'backup.db');
      const backup = await outputOf(['backup', target, '--config', file]);
      expect(backup).to.match(/backup .+100% (\d+)\/\1 pages/);
      app.close();
    });

    it('export and import show how far they are', async () => {
      const { file, app } = await createDatabaseFile('ann');
      addWords(app, 'a', 'b', 'c');
      const out = join(scratchFolder(), 'changes.sync');
      expect(await outputOf(['export', '--out', out, '--config', file])).to.match(/3 changes written in/);
      app.close();
      const other = await createDatabaseFile('bob');
      const imported = await outputOf(['import', out, '--config', other.file]);
      expect(imported)
        .to.match(/verifying .+100% (\d+)\/\1 bytes/)
        .and.match(/applying .+100% 1\/1 pages/);
      other.app.close();
    });

    it('prune shows how far it is', async () => {
      const { file, app } = await createDatabaseFile('ann');
      addWords(app, 'a', 'b');
      app.exec("DELETE FROM words WHERE id = 'a'");
      app.close();
      const shown = await outputOf(['prune', '--config', file]);
      expect(shown).to.match(/prune .+100% (\d+)\/\1 entries of the log/);
      expect(shown).to.contain('1 tombstones go');
    });

    it('convert-ids shows how far the copy, the trial and the conversion are', async () => {
      const file = createShop();
      const out = join(scratchFolder(), 'migrations-out');
      const shown = await outputOf(['convert-ids', '--db', file, '--out', out, ...SHOP_TABLES]);
      expect(shown).to.match(/convert-ids .+100% (\d+)\/\1 steps/);
      expect(shown.match(/100% (\d+)\/\1 steps/g)).to.have.length.at.least(3);
    });

    it('sync, verify and quarantine retry count what they have gone through', async () => {
      const group = await ReplicaGroup.create({ tables: [WORDS], peers: { ann: ['bob'], bob: [] } });
      try {
        const [ann, bob] = [group.replica('ann'), group.replica('bob')];
        for (const replica of [ann, bob]) {
          replica.create('CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER)');
          await replica.join();
        }
        execute(bob.database, "INSERT INTO words VALUES ('a', 'one', 1), ('b', 'two', 2)");
        await bob.start();
        const config = ['--config', ann.configFile];
        expect(await outputOf(['sync', ...config])).to.match(/2 changes received in/);
        expect(await outputOf(['verify', '--peer', 'bob', ...config])).to.match(/words .+ 2\/2 rows/);
        execute(
          ann.database,
          "CREATE TRIGGER full BEFORE INSERT ON words BEGIN SELECT RAISE(ABORT, 'full'); END",
        );
        execute(bob.database, "INSERT INTO words VALUES ('c', 'three', 3)");
        await outputOf(['sync', ...config]);
        execute(ann.database, 'DROP TRIGGER full');
        const retried = await outputOf(['quarantine', 'retry', ...config]);
        expect(retried)
          .to.match(/1 changes tried again in/)
          .and.contain('left the quarantine');
      } finally {
        await group.remove();
      }
    });

    it('a backup that Ctrl-C ends leaves nothing, and says so', async () => {
      const { file, app } = await createDatabaseFile('ann');
      app.exec("INSERT INTO words SELECT value, zeroblob(25e6), 1 FROM json_each('[1,2,3,4]')");
      app.close();
      const target = join(scratchFolder(), 'backup.db');
      const backup = startOnTerminal(['backup', target, '--config', file]);
      await until(() => readdirSync(dirname(target)).length > 0, 'the beginning of a copy', 30_000);
      backup.write('\u0003');
      const { code } = await backup.ended;
      expect(backup.transcript).to.include('interrupted');
      expect(code).to.equal(1);
      expect(readdirSync(dirname(target))).to.deep.equal([]);
    });
  });
});
