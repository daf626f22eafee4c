import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { runMain } from '../cli/captured.js';
import { startCli } from '../replication/command-line.js';
import { countOf, execute, queryRow } from '../replication/content.js';
import { startPython, withPrograms } from '../replication/foreign-programs.js';
import { until } from '../replication/group.js';
import { scratchFolder } from '../scratch.js';

/** Rows that are entered in one transaction. */
const BATCH = 2_000;
const BIG_ROWS = 100_000;
/** When the rows from before were written. */
const LEGACY_MS = 1_700_000_000_000;
const SCHEMA = `
  CREATE TABLE big (id TEXT PRIMARY KEY, body TEXT, updated_at INTEGER);
  CREATE TABLE small (user_id INTEGER, word TEXT, PRIMARY KEY (user_id, word));
  INSERT INTO small VALUES (1, 'a'), (1, 'b'), (2, 'a');
`;

interface Report {
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly versions: number }[];
}

describe('backfill', function () {
  this.timeout(60_000);
  let folder: string;
  let file: string;
  let config: string;

  beforeEach(() => {
    folder = scratchFolder();
    file = join(folder, 'app.db');
    config = join(folder, 'sync-config.yaml');
    new BetterSqlite3(file).exec(SCHEMA).close();
    const tables = [{ name: 'big', timestamp_column: 'updated_at' }, { name: 'small' }];
    writeFileSync(config, stringify({ node: { id: 'desktop' }, database: { path: './app.db' }, tables }));
  });

  it('enters every row once, and the second time none', async () => {
    addRows(5_000);
    await migrate();
    expect(await backfill()).to.deep.equal({
      tables: [
        { table: 'big', rows: 5_000, versions: 5_000 },
        { table: 'small', rows: 3, versions: 3 },
      ],
    });
    expectOneEntryEach();
    const again = await backfill();
    expect(again.tables.map(({ versions }) => versions)).to.deep.equal([0, 0]);
    expectOneEntryEach();
  });

  it('enters keys that the key tells apart, and their column does not, also where a batch ends between two', async () => {
    execute(
      file,
      `DROP TABLE big;
       CREATE TABLE big (id TEXT COLLATE NOCASE, body TEXT, updated_at INTEGER, PRIMARY KEY (id COLLATE BINARY))`,
    );
    addRows(BATCH - 1);
    execute(file, `INSERT INTO big VALUES ('s', 'small', 1), ('S', 'large', 1), ('t', 'next', 1)`);
    await migrate();
    await backfill();
    expectOneEntryEach();
  });

  it('enters every row where the configuration names the columns of the key in another order', async () => {
    execute(
      file,
      `DROP TABLE big;
       CREATE TABLE big (id, part, body, updated_at INTEGER, PRIMARY KEY (part, id)) WITHOUT ROWID;
       WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${3 * BATCH})
       INSERT INTO big SELECT CASE i % 3 WHEN 0 THEN i WHEN 1 THEN CAST(i AS TEXT) ELSE CAST(CAST(i AS TEXT) AS BLOB) END,
         i % 7, 'body', i FROM n`,
    );
    const tables = [{ name: 'big', primary_key: ['id', 'part'] }, { name: 'small' }];
    writeFileSync(config, stringify({ node: { id: 'desktop' }, database: { path: './app.db' }, tables }));
    await migrate();
    await backfill();
    expectOneEntryEach();
  });

  it('takes a row as written at its own timestamp, or at 0', async () => {
    addRows(10);
    await migrate();
    await backfill();
    const stamp = 'SELECT max(timestamp), min(timestamp) FROM _sync_changes WHERE table_name = ';
    expect(queryRow(file, `${stamp} 'big'`)).to.deep.equal([LEGACY_MS + 10, LEGACY_MS + 1]);
    expect(queryRow(file, `${stamp} 'small'`)).to.deep.equal([0, 0]);
  });

  it('enters only the tables that --table names', async () => {
    addRows(10);
    await migrate();
    const { tables } = await backfill('--table', 'small');
    expect(tables).to.deep.equal([{ table: 'small', rows: 3, versions: 3 }]);
    const { status, stderr } = await run('backfill', '--table', 'samll');
    expect(status).to.equal(2);
    expect(stderr)
      .to.match(/"samll" is not configured/)
      .and.to.match(/Configured: big, small/);
  });

  it('enters what was added, changed and deleted while there were no triggers', async () => {
    addRows(10);
    await migrate();
    await backfill();
    await run('migrate', '--down');
    execute(
      file,
      `INSERT INTO big VALUES ('new', 'new', ${LEGACY_MS + 50});
       UPDATE big SET body = 'edited', updated_at = ${LEGACY_MS + 60} WHERE id = 'r000003';
       DELETE FROM big WHERE id = 'r000004';`,
    );
    await migrate();
    expect((await backfill()).tables.map(({ versions }) => versions)).to.deep.equal([3, 0]);
    const gone =
      "table_name = 'big' AND record_id = 'r000004' AND operation = 'DELETE' AND fingerprint IS NULL";
    expect(countOf(file, '_sync_changes', gone)).to.equal(1);
    expect(countOf(file, '_sync_changes', "table_name = 'big' AND fingerprint IS NOT NULL")).to.equal(10);
  });

  it('goes on where it was killed, and enters every row once', async () => {
    addRows(BIG_ROWS);
    await migrate();
    for (let kills = 1; kills <= 3; kills += 1) {
      const target = head() + 10_000;
      const process = startCli(['backfill', '--config', config]);
      await until(() => head() >= target, `${target} entries`);
      const { signal } = await process.end('SIGKILL');
      expect(signal, 'it was still at work').to.equal('SIGKILL');
    }
    const entered = countOf(file, '_sync_changes', "table_name = 'big' AND origin IS NOT NULL");
    expect(entered).to.be.within(10_000, BIG_ROWS - 10_000);

    const { tables } = await backfill();
    expect(tables[0]?.rows, 'rows read after the kills').to.be.lessThan(BIG_ROWS - entered + 4_000);
    expectOneEntryEach();
  });

  withPrograms(['python3'], () => {
    it('never makes a writer with a busy timeout of one second fail', async () => {
      addRows(BIG_ROWS);
      await migrate();
      const writer = startPython('busy_writer.py', file);
      await writer.line((line) => line === 'writing', 'first write');
      const process = startCli(['backfill', '--config', config]);
      expect((await process.ended).code, process.transcript).to.equal(0);
      writer.closeInput();
      expect((await writer.ended).code, writer.transcript).to.equal(0);
      // It ends with a traceback once the lock is refused to it.
      const [, writes] = /^writes (\d+) longest \d+$/.exec(writer.lines.at(-1) ?? '') ?? [];
      expect(Number(writes)).to.be.greaterThan(10);
      expect(
        (await backfill()).tables[0]?.versions,
        'left for a second run, and written since',
      ).to.be.at.most(Number(writes));
      expectOneEntryEach();
    });
  });

  function addRows(count: number): void {
    execute(
      file,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
       INSERT INTO big SELECT printf('r%06d', i), 'body ' || i, ${LEGACY_MS} + i FROM n`,
    );
  }

  function run(...args: string[]) {
    return runMain([...args, '--config', config]);
  }

  async function migrate(): Promise<void> {
    const { status, stderr } = await run('migrate', '--no-backup');
    expect(status, stderr).to.equal(0);
  }

  async function backfill(...args: string[]): Promise<Report> {
    const { status, stdout, stderr } = await run('backfill', '--json', ...args);
    expect(status, stderr).to.equal(0);
    return JSON.parse(stdout) as Report;
  }

  /** The newest id that the changelog gave. */
  function head(): number {
    return (queryRow(file, "SELECT seq FROM sqlite_sequence WHERE name = '_sync_changes'")[0] ?? 0) as number;
  }

  /** Every row of both tables stands in the changelog once, folded, and nothing else does. */
  function expectOneEntryEach(): void {
    const entries = `SELECT count(*), count(DISTINCT record_id || ' ' || coalesce(record_id_2, '') || typeof(record_id)), count(origin)
      FROM _sync_changes WHERE table_name = `;
    for (const table of ['big', 'small']) {
      const rows = countOf(file, table);
      expect(queryRow(file, `${entries} '${table}'`), table).to.deep.equal([rows, rows, rows]);
    }
    const unknown = `SELECT count(*) FROM big WHERE id NOT IN
      (SELECT record_id FROM _sync_changes WHERE table_name = 'big')`;
    expect(queryRow(file, unknown)).to.deep.equal([0]);
  }
});
