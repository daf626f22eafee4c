import { join } from 'node:path';
import { copyFileSync } from 'node:fs';
import { expect } from 'chai';
import { scratchFolder } from '../scratch.js';
import { removeLogs } from './backups.js';
import { countOf, execute, expectSameContent, queryRow } from './content.js';
import { startPython, withPrograms } from './foreign-programs.js';
import { Replica, ReplicaGroup } from './group.js';

const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER)';

/** docs/operations.md, "Restoring a backup", with what `backup` writes. */
describe('a replica restored from a backup of its own making', function () {
  this.timeout(120_000);
  let group: ReplicaGroup;
  let desktop: Replica;
  let laptop: Replica;

  beforeEach(async () => {
    group = await ReplicaGroup.create({
      tables: [{ name: 'words' }],
      peers: { desktop: ['laptop'], laptop: ['desktop'] },
    });
    desktop = group.replica('desktop');
    laptop = group.replica('laptop');
    for (const replica of group.replicas) {
      replica.create(SCHEMA);
      await replica.join();
      await replica.start();
    }
  });
  afterEach(() => group.remove());

  withPrograms(['python3'], () => {
    it('is noticed as such, gets back what its peer has, and loses nothing that is written afterwards', async () => {
      addWord(laptop, 'early');
      await group.settle();
      const writer = startPython('bulk_writer.py', laptop.database, 'bulk');
      await writer.line((line) => line.startsWith('committed'), 'first transaction');
      const backup = join(scratchFolder(), 'laptop.db');
      await laptop.cli('backup', backup);
      const from = writer.lines.length;
      await writer.line((line) => line.startsWith('committed'), 'later transaction', 20_000, from);
      writer.closeInput();
      expect(await writer.ended).to.deep.equal({ code: 0, signal: null });
      execute(laptop.database, "DELETE FROM words WHERE id = 'early'");
      await group.settle();
      const had = countOf(desktop.database, 'words');
      expect(countOf(backup, 'words')).to.be.within(1, had);
      const { epoch } = await laptop.status();
      addWord(laptop, 'never-pulled');

      await laptop.stop();
      removeLogs(laptop);
      copyFileSync(backup, laptop.database);
      addWord(laptop, 'afterwards');
      await laptop.start();
      expect((await laptop.status()).epoch).to.not.equal(epoch);
      await group.settle();

      expectSameContent(group.files, { words: ['id'] });
      expect(countOf(laptop.database, 'words')).to.equal(had + 1);
      expect(countOf(laptop.database, 'words', "id = 'early'")).to.equal(0);
      expect(countOf(desktop.database, 'words', "id = 'afterwards'")).to.equal(1);
      expect(queryRow(laptop.database, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
      await group.expectQuiet();
    });
  });

  function addWord(replica: Replica, id: string): void {
    execute(replica.database, `INSERT INTO words VALUES ('${id}', 'a word', 1)`);
  }
});
