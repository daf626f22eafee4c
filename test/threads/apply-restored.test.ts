import { createHash } from 'node:crypto';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { Writer } from '#src/threads/writer.js';
import { addWords, createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';

describe('a page for a file into which a backup was restored', () => {
  let file: DatabaseFile;
  let writer: Writer;
  before(async () => {
    file = await createDatabaseFile('ann');
    writer = new Writer(file.config);
    await writer.open();
    await writer.fold();
  });
  after(async () => {
    await writer.close();
    file.app.close();
  });

  it('is not applied, and the file goes on as a new instance, although nothing waits to be folded', async () => {
    const backup = new BetterSqlite3(`${file.app.name}.backup`);
    await file.app.backup(backup.name);
    addWords(file.app, 'a');
    await writer.fold();
    const epochOf = () => file.app.prepare('SELECT epoch FROM _sync_replica').pluck().get() as string;
    const epoch = epochOf();
    await backup.backup(file.app.name);
    backup.close();
    const head = { protocol: 1, node: 'bob', epoch: 'b0', server_time_ms: 0, changes: [] };
    const page = { ...head, next_cursor: 'b0.1.ab', has_more: false, behind: 0, complete: true };
    const body = Buffer.from(JSON.stringify(page));
    const sha256 = createHash('sha256').update(body).digest('hex');
    const fault: unknown = await writer
      .apply({ peer: 'bob', since: '', epoch, body, sha256 })
      .catch((error: unknown) => error);
    expect(fault).to.include({ code: 'instance_renewed' });
    expect(epochOf()).not.to.equal(epoch);
    expect((await writer.fold()).renewal).to.equal('rewound');
  });
});
