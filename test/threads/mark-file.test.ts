import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { expect } from 'chai';
import { lastMarkOf, markFileOf, readMarkFile } from '#src/changelog/mark-file.js';
import { Writer } from '#src/threads/writer.js';
import { addWords, createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';

describe('the mark file', () => {
  let file: DatabaseFile;
  let writer: Writer;
  let path: string;

  beforeEach(async () => {
    file = await createDatabaseFile('ann');
    writer = new Writer(file.config);
    await writer.open();
    path = file.config.database.path;
  });

  afterEach(() => {
    file.app.close();
  });

  it('is written before the writer is closed, though a call is answered first', async () => {
    addWords(file.app, 'a');
    await writer.fold();
    const newest = lastMarkOf(file.app);
    await writer.close();
    expect(readMarkFile(path)).to.include({ mark: newest.mark, log_id: newest.log_id });
  });

  it('fails the transaction after one whose mark could not be written, until it can be', async () => {
    await writer.fold();
    rmSync(markFileOf(path));
    mkdirSync(markFileOf(path));
    addWords(file.app, 'a');
    await writer.fold();
    const fault: unknown = await writer.fold().catch((error: unknown) => error);
    expect(fault).to.include({ code: 'mark_file' });
    rmdirSync(markFileOf(path));
    await writer.fold();
    expect(readMarkFile(path)).to.include({ mark: lastMarkOf(file.app).mark });
    await writer.close();
  });
});
