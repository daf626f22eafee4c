import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { statement } from '#src/sql/template.js';
import { Reader } from '#src/threads/reader.js';
import { Writer } from '#src/threads/writer.js';
import { addWords, createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';

describe('a cursor that a puller was given and has not come back with', () => {
  let file: DatabaseFile;
  let writer: Writer;
  let reader: Reader;
  let cursors: string[];
  let nowMs: number;

  beforeEach(async () => {
    file = await createDatabaseFile('ann');
    nowMs = Date.now();
    writer = new Writer(file.config, () => nowMs);
    await writer.open();
    reader = new Reader(file.config);
    await reader.open();
    cursors = [''];
    for (const word of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      addWords(file.app, word);
      await writer.fold();
      cursors.push((await page(cursors.at(-1) ?? '')).nextCursor);
    }
  });

  afterEach(async () => {
    await reader.close();
    await writer.close();
    file.app.close();
  });

  function page(since: string) {
    return reader.page({ since, limit: 1, node: 'bob', epoch: 'b0', tables: null });
  }

  /** Has the log grow by more ids than marks are kept for. */
  function lengthen(): void {
    file.app.exec("UPDATE sqlite_sequence SET seq = seq + 150000 WHERE name = '_sync_changes'");
  }

  /** The same, until the old marks went. */
  async function grow(): Promise<void> {
    lengthen();
    const old = file.app.prepare('SELECT count(*) FROM _sync_marks WHERE log_id < 100000').pluck();
    const before = old.get();
    for (let write = 0; old.get() === before; write += 1) {
      expect(write).to.be.below(10);
      nowMs += 60_000;
      file.app.exec(`UPDATE words SET english = '${write}' WHERE id = 'a'`);
      await writer.fold();
    }
  }

  async function accepted(): Promise<boolean[]> {
    const is = async (cursor: string) => {
      try {
        return (await page(cursor)).nextCursor !== '';
      } catch (error) {
        if (error instanceof SyncError && error.code === 'cursor_invalid') return false;
        throw error;
      }
    };
    return Promise.all(cursors.slice(1).map(is));
  }

  it('is accepted however long the log has become', async () => {
    const [, first = '', second = ''] = cursors;
    await writer.acknowledge('bob', 'b0', first);
    await writer.handOut('bob', first, second);
    await grow();
    expect(await accepted()).to.deep.equal([1, 1, 0, 0, 0, 0, 0, 0].map(Boolean));
  });

  it('is any of the last six where the puller asks ahead', async () => {
    for (const [place, cursor] of cursors.entries()) {
      const next = cursors[place + 1];
      if (next !== undefined) await writer.handOut('bob', cursor, next);
    }
    // Asked once more, since the answer did not come.
    await writer.handOut('bob', cursors.at(-2) ?? '', cursors.at(-1) ?? '');
    await grow();
    expect(await accepted()).to.deep.equal([0, 0, 1, 1, 1, 1, 1, 1].map(Boolean));
  });

  it('is accepted where old marks go in the very transaction that finds the log grown', async () => {
    const [, first = '', second = ''] = cursors;
    await writer.acknowledge('bob', 'b0', first);
    await writer.handOut('bob', first, second);
    const thin = statement('changelog/thin-marks').replace(':newestKept', 'NEW.log_id - 100000');
    file.app.exec(`CREATE TRIGGER thin AFTER INSERT ON _sync_marks BEGIN ${thin}; END`);
    await grow();
    expect(await accepted()).to.deep.equal([1, 1, 0, 0, 0, 0, 0, 0].map(Boolean));
  });

  it('is accepted where the log becomes long while its page is read', async () => {
    const [, first = '', second = '', third = ''] = cursors;
    await writer.acknowledge('bob', 'b0', first);
    await writer.handOut('bob', first, second);
    lengthen();
    for (let write = 0; write < 200; write += 1) {
      nowMs += 100;
      file.app.exec(`UPDATE words SET english = '${write}' WHERE id = 'a'`);
      await writer.fold();
    }
    await writer.handOut('bob', second, third);
    await grow();
    expect(await accepted()).to.deep.equal([1, 1, 1, 0, 0, 0, 0, 0].map(Boolean));
  });

  it('is written down only where it is not acknowledged before the log grows', async () => {
    const [, first = '', second = ''] = cursors;
    const handed = file.app.prepare('SELECT handed FROM _sync_peers').pluck();
    await writer.handOut('bob', first, second);
    await writer.fold();
    expect(handed.all()).to.deep.equal([]);
    await writer.acknowledge('bob', 'b0', second);
    await grow();
    expect(handed.all()).to.deep.equal([null]);
    expect(await accepted()).to.deep.equal([0, 1, 0, 0, 0, 0, 0, 0].map(Boolean));
  });
});
