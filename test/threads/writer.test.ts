import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { copyFileSync, renameSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { SyncError } from '#src/errors.js';
import { Reader } from '#src/threads/reader.js';
import { Writer } from '#src/threads/writer.js';
import { membersHash, unheard } from '#src/wire/members.js';
import type { WireChange } from '#src/wire/change.js';
import type { WirePage } from '#src/wire/page.js';
import { addWords, createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';
import { runMain } from '../cli/captured.js';

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'done';
  } catch (error) {
    if (error instanceof SyncError) return error.code;
    throw error;
  }
}

describe('the writer', () => {
  let file: DatabaseFile;
  let writer: Writer;
  beforeEach(async () => {
    file = await createDatabaseFile('ann');
    writer = new Writer(file.config);
    await writer.open();
    await writer.fold();
  });
  afterEach(async () => {
    await writer.close();
    file.app.close();
  });

  function folded(): unknown {
    return file.app
      .prepare(
        `SELECT record_id, operation, fingerprint IS NULL AS gone FROM _sync_changes
         WHERE origin IS NOT NULL ORDER BY record_id`,
      )
      .all();
  }

  function triggers(): unknown {
    return file.app.prepare(`SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'`).pluck().get();
  }

  it('believes a cursor that its log never had, but not twice in a short while', async () => {
    const foreign = () => {
      const epoch = file.app.prepare('SELECT epoch FROM _sync_replica').pluck().get() as string;
      return `${epoch}.1.000000000000`;
    };
    const first = foreign();
    expect(await writer.rewound(first)).to.equal(true);
    expect((await writer.fold()).renewal).to.equal('rewound');
    expect(await writer.rewound(first), 'of the instance before').to.equal(false);
    expect(await codeOf(writer.rewound(foreign()))).to.equal('restored_again');
  });

  it('has a peer tell again what it claims of this log and this log never had, until that is believed', async () => {
    const reader = new Reader(file.config);
    await reader.open();
    const pull = async () => {
      const { cursor: since, pruned, known, member } = await reader.pullStart('bob');
      const claims = { [`ann@${member.epoch}`]: { log_id: 1_000, mark: 'ab' } };
      const bob = { ...unheard('bob', 'b0'), born_ms: 1, told_ms: 1, claims };
      const body = Buffer.from(
        JSON.stringify({
          protocol: 1,
          node: 'bob',
          epoch: 'b0',
          server_time_ms: 0,
          changes: [],
          next_cursor: 'b0.1.ab',
          has_more: false,
          behind: 0,
          complete: true,
          ...(known === membersHash([bob]) ? {} : { members: [bob] }),
        }),
      );
      const sha256 = createHash('sha256').update(body).digest('hex');
      return codeOf(writer.apply({ peer: 'bob', since, pruned, epoch: member.epoch, body, sha256 }));
    };
    expect(await pull()).to.equal('instance_renewed');
    expect(await pull()).to.equal('restored_again');
    expect(await pull()).to.equal('restored_again');
    await reader.close();
  });

  it('is read right where a backup is restored into the open file', async () => {
    addWords(file.app, 'a', 'b');
    await writer.fold();
    const reader = new Reader(file.config);
    await reader.open();
    const keys = async () => {
      const { body } = await reader.page({ since: '', limit: 10, node: null, epoch: null, tables: null });
      return (JSON.parse(Buffer.from(body).toString()) as WirePage).changes.map(({ key }) => key[0]);
    };
    const backup = new BetterSqlite3(`${file.app.name}.backup`);
    await file.app.backup(backup.name);
    addWords(file.app, 'c');
    expect(await keys()).to.deep.equal(['a', 'b']);
    await backup.backup(file.app.name);
    backup.close();
    file.app.exec(`UPDATE words SET english = 'edited' WHERE id = 'b'`);
    expect(await keys(), 'not the new row under its old version').to.deep.equal(['a']);
    await writer.fold();
    expect(await keys()).to.deep.equal(['a', 'b']);
    await reader.close();
  });

  it('finds the triggers gone after a table was rebuilt, puts them back and closes the gap', async () => {
    addWords(file.app, 'a', 'b', 'c');
    await writer.fold();
    file.app.exec(`
      BEGIN;
      CREATE TABLE words_new (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER, added TEXT);
      INSERT INTO words_new SELECT *, NULL FROM words;
      DROP TABLE words;
      ALTER TABLE words_new RENAME TO words;
      UPDATE words SET english = 'edited in the gap' WHERE id = 'a';
      DELETE FROM words WHERE id = 'b';
      INSERT INTO words VALUES ('d', 'new in the gap', 1704326400000, 'x');
      COMMIT`);
    expect(triggers()).to.equal(0);
    const { schema } = await writer.fold();
    expect(schema).to.deep.equal({ recaptured: ['words'], faults: [] });
    expect(triggers()).to.equal(4);
    expect(folded()).to.deep.equal([
      { record_id: 'a', operation: 'UPDATE', gone: 0 },
      { record_id: 'b', operation: 'DELETE', gone: 1 },
      { record_id: 'c', operation: 'INSERT', gone: 0 },
      { record_id: 'd', operation: 'INSERT', gone: 0 },
    ]);
    file.app.exec(`UPDATE words SET added = 'captured' WHERE id = 'c'`);
    expect(await writer.fold()).to.include({ entries: 1, versions: 1, schema: null });
  });

  it('leaves a table out while it is away, says so, and takes nothing of it for deleted', async () => {
    addWords(file.app, 'a');
    await writer.fold();
    file.app.exec(`ALTER TABLE words RENAME TO elsewhere`);
    const { schema } = await writer.fold();
    expect(schema?.faults).to.have.length(1);
    expect(schema?.faults[0]).to.match(/tables\[0\]\.name: no such table "words"/);
    expect(folded()).to.deep.equal([{ record_id: 'a', operation: 'INSERT', gone: 0 }]);
    file.app.exec(`ALTER TABLE elsewhere RENAME TO words; UPDATE words SET english = 'x'`);
    expect((await writer.fold()).schema).to.deep.equal({ recaptured: ['words'], faults: [] });
    expect(folded()).to.deep.equal([{ record_id: 'a', operation: 'UPDATE', gone: 0 }]);
  });

  it('takes the rows of a table that was dropped and made anew for deleted, but those that are back', async () => {
    addWords(file.app, 'a', 'b');
    await writer.fold();
    file.app.exec(
      `DROP TABLE words; CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER)`,
    );
    addWords(file.app, 'b');
    await writer.fold();
    expect(folded()).to.deep.equal([
      { record_id: 'a', operation: 'DELETE', gone: 1 },
      { record_id: 'b', operation: 'INSERT', gone: 0 },
    ]);
  });

  it('compares a rebuilt table that was empty when it was migrated', async () => {
    file.app.exec(`
      DROP TABLE words;
      CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER);
      INSERT INTO words VALUES ('a', 'in the gap', 1704326400000)`);
    await writer.fold();
    expect(folded()).to.deep.equal([{ record_id: 'a', operation: 'INSERT', gone: 0 }]);
  });

  /** Once is enough, unless the machine was slow at counting the rows: they are counted again after fifty times as long. */
  async function foldUntilGone(): Promise<void> {
    while (!JSON.stringify(folded()).includes('DELETE')) await writer.fold();
  }

  it('makes tombstones of rows that a REPLACE evicted through a unique index that came later', async () => {
    file.app.exec(`CREATE UNIQUE INDEX one_term ON words (english)`);
    addWords(file.app, 'a', 'b');
    await writer.fold();
    file.app.exec(`INSERT OR REPLACE INTO words VALUES ('c', 'word a', 1704326400000)`);
    await foldUntilGone();
    expect(folded()).to.deep.equal([
      { record_id: 'a', operation: 'DELETE', gone: 1 },
      { record_id: 'b', operation: 'INSERT', gone: 0 },
      { record_id: 'c', operation: 'INSERT', gone: 0 },
    ]);
  });

  it('finds an evicted row also where a row with NULL in its key came in with it', async () => {
    file.app.exec(`CREATE UNIQUE INDEX one_term ON words (english)`);
    addWords(file.app, 'a');
    await writer.fold();
    file.app.exec(`BEGIN; INSERT INTO words VALUES (NULL, 'x', 1);
      INSERT OR REPLACE INTO words VALUES ('c', 'word a', 1704326400000); COMMIT`);
    await foldUntilGone();
    expect(folded()).to.deep.equal([
      { record_id: 'a', operation: 'DELETE', gone: 1 },
      { record_id: 'c', operation: 'INSERT', gone: 0 },
    ]);
  });

  it('captures a table with a wider key that was configured without migrate', async () => {
    file.app.exec(`CREATE TABLE wide (a, b, c, body, PRIMARY KEY (a, b, c))`);
    const { tables } = file.config;
    const [words] = tables;
    if (words === undefined) throw new Error('no table');
    const wide = { ...words, name: 'wide', timestampColumn: null };
    const wider = new Writer({ ...file.config, tables: [...tables, wide] });
    await wider.open();
    await wider.fold();
    file.app.exec(`INSERT INTO wide VALUES (1, 2, 3, 'x')`);
    expect(await wider.fold()).to.include({ entries: 1, versions: 1 });
    await wider.close();
  });

  it('says where a row with NULL in its key was written', async () => {
    file.app.exec(`INSERT INTO words VALUES (NULL, 'x', 1), ('a', 'y', 1)`);
    expect(await writer.fold()).to.deep.include({ entries: 2, versions: 1, keyless: ['words'] });
    expect(await writer.fold()).to.deep.include({ entries: 0, keyless: [] });
  });

  it('goes on with added, renamed and dropped columns', async () => {
    addWords(file.app, 'a');
    await writer.fold();
    file.app.exec(`
      ALTER TABLE words ADD COLUMN note TEXT;
      ALTER TABLE words RENAME COLUMN english TO term;
      UPDATE words SET note = 'n';
    `);
    expect(await writer.fold()).to.include({ entries: 1, versions: 1 });
    file.app.exec(`ALTER TABLE words DROP COLUMN note; UPDATE words SET term = 'y'`);
    expect(await writer.fold()).to.include({ entries: 1, versions: 1 });
    const reader = new Reader(file.config);
    await reader.open();
    const page = await reader.page({ since: '', limit: 10, node: null, epoch: null, tables: null });
    await reader.close();
    const { changes } = JSON.parse(Buffer.from(page.body).toString('utf8')) as WirePage;
    expect((changes as WireChange[])[0]?.record).to.deep.equal({
      id: 'a',
      term: 'y',
      updated_at: 1_704_326_400_000,
    });
  });

  it('stays away once migrate --down was run', async () => {
    const down = await createDatabaseFile('bob', { database: { wal: false } });
    const other = new Writer(down.config);
    await other.open();
    await other.fold();
    const { status } = await runMain(['migrate', '--down', '--config', down.file]);
    expect(status).to.equal(0);
    expect(await codeOf(other.fold())).to.equal('not_migrated');
    expect(
      down.app.prepare(`SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'`).pluck().get(),
    ).to.equal(0);
    await other.close();
    down.app.close();
  });

  it('gives up after busy_timeout where the app keeps the write lock, and works when it is free', async () => {
    const quick = new Writer({ ...file.config, database: { ...file.config.database, busyTimeoutMs: 150 } });
    await quick.open();
    const app = new BetterSqlite3(file.config.database.path);
    app.exec('BEGIN IMMEDIATE');
    expect(await codeOf(quick.fold())).to.equal('database_busy');
    app.exec('COMMIT');
    app.close();
    expect(await quick.fold()).to.include({ entries: 0 });
    await quick.close();
  });

  it('refuses a page that promises more and does not lead on', async () => {
    const page = (cursor: string) =>
      Buffer.from(
        JSON.stringify({
          protocol: 1,
          node: 'eve',
          epoch: 'aa',
          server_time_ms: 1,
          changes: [],
          next_cursor: cursor,
          has_more: true,
          behind: 1,
        }),
      );
    const apply = (since: string, body: Buffer) =>
      writer.apply({
        peer: 'eve',
        since,
        epoch: null,
        body,
        sha256: createHash('sha256').update(body).digest('hex'),
      });
    await apply('', page('aa.5.bb'));
    expect(await codeOf(apply('aa.5.bb', page('aa.5.cc')))).to.equal('peer_endless');
    expect(await codeOf(apply('aa.5.bb', page('aa.4.bb')))).to.equal('peer_endless');
  });

  it('says that the file was replaced under it', async () => {
    const reader = new Reader(file.config);
    await reader.open();
    await reader.dataVersion();
    const { path } = file.config.database;
    renameSync(path, `${path}.away`);
    expect(await codeOf(reader.dataVersion())).to.equal('database_replaced');
    copyFileSync(`${path}.away`, path);
    expect(await codeOf(reader.dataVersion())).to.equal('database_replaced');
    await reader.close();
  });

  it('refuses a page that was asked for before tombstones were pruned here', async () => {
    const reader = new Reader(file.config);
    await reader.open();
    addWords(file.app, 'a');
    await writer.fold();
    const before = await reader.pullStart('bob');
    file.app.exec('DELETE FROM words');
    expect(await writer.prune()).to.include({ pruned: 1 });
    const after = await reader.pullStart('bob');
    await reader.close();
    expect(after.pruned).to.be.above(before.pruned);
    const body = Buffer.from(
      JSON.stringify({
        protocol: 1,
        node: 'bob',
        epoch: 'b0',
        server_time_ms: 0,
        changes: [],
        next_cursor: 'b0.1.ab',
        has_more: false,
        behind: 0,
      }),
    );
    const sha256 = createHash('sha256').update(body).digest('hex');
    const request = { peer: 'bob', since: '', epoch: null, body, sha256 };
    expect(await codeOf(writer.apply({ ...request, pruned: before.pruned }))).to.equal('cursor_moved');
    expect(await codeOf(writer.apply({ ...request, pruned: after.pruned }))).to.equal('done');
  });

  it('refuses a page that does not match its checksum, and one of another node', async () => {
    const page = {
      protocol: 1,
      node: 'eve',
      epoch: 'aa',
      server_time_ms: 1,
      changes: [],
      next_cursor: 'aa.1.bb',
      has_more: false,
      behind: 0,
    };
    const body = Buffer.from(JSON.stringify(page));
    const sha256 = createHash('sha256').update(body).digest('hex');
    expect(await codeOf(writer.apply({ peer: 'eve', since: '', epoch: null, body, sha256: 'ff' }))).to.equal(
      'page_damaged',
    );
    expect(await codeOf(writer.apply({ peer: 'bob', since: '', epoch: null, body, sha256 }))).to.equal(
      'wrong_node',
    );
    expect(await writer.apply({ peer: 'eve', since: '', epoch: null, body, sha256 })).to.include({
      received: 0,
      hasMore: false,
    });
    expect(await codeOf(writer.apply({ peer: 'eve', since: '', epoch: null, body, sha256 }))).to.equal(
      'cursor_moved',
    );
  });
});
