import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';
import { createAttempts } from '#src/pull/attempts.js';
import { createFingerprintClient } from '#src/pull/fingerprint-client.js';
import { openConnection } from '#src/pull/request.js';
import { openChangelog } from '#src/changelog/changelog.js';
import { checkTables } from '#src/database/check-tables.js';
import { Reader } from '#src/threads/reader.js';
import { verifyTable } from '#src/verify/verify-table.js';
import { runMain } from '../cli/captured.js';
import { serveFeed } from '../feed/serve.js';
import { createDatabaseFile } from '../stand-ins/database-file.js';

const ROWS = 100_000;
const DRIFTED = ['r000017', 'r050000', 'r099999'];

describe('verify of 100,000 rows', function () {
  this.timeout(120_000);

  it('finds three differences in two requests, and three more for each', async () => {
    const here = await createDatabaseFile('ann');
    here.app.exec(`WITH n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS - 1})
      INSERT INTO words SELECT 'r' || printf('%06d', i), 'body ' || i, 1704326400000 FROM n`);
    expect((await runMain(['backfill', '--config', here.file])).status).to.equal(0);
    const there = await createDatabaseFile('bob', { migrated: false });
    there.app.close();
    const copy = there.config.database.path.replace('app.db', 'copy.db');
    here.app.exec(`VACUUM INTO '${copy}'`);
    drift(new BetterSqlite3(copy));

    const config = { ...there.config, database: { ...there.config.database, path: copy } };
    const reader = new Reader(config);
    await reader.open();
    const feed = await serveFeed({ node: 'bob', reader });
    const target = {
      name: 'bob',
      address: feed.url,
      apiKey: null,
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 30_000,
    };
    const connection = openConnection(target);
    const { signal } = new AbortController();
    const peer = createFingerprintClient(connection, createAttempts('bob', config.network), signal);
    const changelog = openChangelog(here.app, checkTables(here.config, here.app));
    const [table] = changelog.tables;
    if (table === undefined) throw new Error('no table');
    try {
      const shapes = await peer.shapes();
      const parts = { changelog, peer, settle: () => Promise.resolve(), onProgress: () => undefined };
      const { rows, differences } = await verifyTable(parts, table, shapes);
      expect(rows).to.equal(ROWS);
      expect(differences.map(({ here: { key }, kind }) => [key[0], kind])).to.have.deep.members([
        [DRIFTED[0], 'content'],
        [DRIFTED[1], 'content'],
        [DRIFTED[2], 'missing_there'],
      ]);
      // the tables and the top; three levels for each difference; two looks
      expect(peer.requests).to.be.at.most(2 + 3 * 3 + 2);
    } finally {
      await connection.close();
      await feed.close();
      await reader.close();
      here.app.close();
    }
  });

  function drift(database: Database): void {
    database.exec(`UPDATE _sync_guard SET applying = 1;
      UPDATE words SET english = 'drifted' WHERE id IN ('${DRIFTED[0]}', '${DRIFTED[1]}');
      DELETE FROM words WHERE id = '${DRIFTED[2]}';
      UPDATE _sync_guard SET applying = 0`);
    database.close();
  }
});
