/**
 * cr-sqlite (WASM): two databases in the memory of one process. Argument: the source of the rows. Reads lines:
 * "write" answers with the ms that it takes to write all rows, "sync" (with "write" first, if that was not asked for)
 * with the ms from reading these changes to having applied them in the other database, "change COUNT TIMES" with the
 * median ms of the same for so many changed rows.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { sourceRows } from './source.mjs';

const SCHEMA = `CREATE TABLE words (
  id TEXT PRIMARY KEY NOT NULL, english TEXT, chinese TEXT, pronunciation TEXT, updated_at INTEGER, deleted_at INTEGER
)`;
const READ = `SELECT "table", pk, cid, val, col_version, db_version, site_id, cl, seq
  FROM crsql_changes WHERE db_version = ?`;
const APPLY = `INSERT INTO crsql_changes ("table", pk, cid, val, col_version, db_version, site_id, cl, seq)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** With 40,000 changes in one version it had not read them after 90 s. */
const ROWS_PER_VERSION = 1000;

const sqlite = await openWasm();
const rows = sourceRows(process.argv[2]);
let pair = null;
let round = 0;

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [command, count, times] = line.split(' ');
  if (command === 'write') {
    pair = await written();
    console.log(pair.writeMs);
  } else if (command === 'sync') {
    pair ??= await written();
    console.log(await sync(pair));
  } else {
    const elapsed = [];
    for (let time = 0; time < Number(times); time += 1) elapsed.push(await change(pair, Number(count)));
    console.log(elapsed.sort((a, b) => a - b)[Math.floor(elapsed.length / 2)]);
  }
}

/** Its loader was made for browsers: it fetches a URL, which no Node does for a file, and opens a storage. */
async function openWasm() {
  // never used: both databases are in memory
  globalThis.indexedDB = { open: () => new EventTarget() };
  const { fetch } = globalThis;
  globalThis.fetch = async (url, ...rest) => {
    if (!String(url).startsWith('file:')) return fetch(url, ...rest);
    const wasm = await readFile(fileURLToPath(url));
    return new Response(wasm, { headers: { 'content-type': 'application/wasm' } });
  };
  const { default: initWasm } = await import('@vlcn.io/crsqlite-wasm');
  return initWasm();
}

async function openDatabase() {
  const database = await sqlite.open(':memory:');
  await database.exec(SCHEMA);
  await database.exec("SELECT crsql_as_crr('words')");
  return database;
}

async function written() {
  const from = await openDatabase();
  const to = await openDatabase();
  const started = performance.now();
  for (let at = 0; at < rows.length; at += ROWS_PER_VERSION) {
    await from.tx(async (tx) => {
      const insert = await tx.prepare('INSERT INTO words VALUES (?, ?, ?, ?, ?, ?)');
      for (const row of rows.slice(at, at + ROWS_PER_VERSION)) await insert.run(tx, ...row);
      await insert.finalize(tx);
    });
  }
  return { from, to, writeMs: performance.now() - started, version: 0 };
}

async function sync(of) {
  const started = performance.now();
  const [[newest]] = await of.from.execA('SELECT crsql_db_version()');
  while (of.version < newest) {
    of.version += 1;
    const changes = await of.from.execA(READ, [of.version]);
    await of.to.tx(async (tx) => {
      const apply = await tx.prepare(APPLY);
      for (const each of changes) await apply.run(tx, ...each);
      await apply.finalize(tx);
    });
  }
  return performance.now() - started;
}

async function change(of, count) {
  round += 1;
  const step = Math.max(1, Math.floor(rows.length / count));
  await of.from.tx(async (tx) => {
    const update = await tx.prepare('UPDATE words SET english = ?, updated_at = ? WHERE id = ?');
    for (let at = 0; at < count; at += 1) {
      const [id, english] = rows[(at * step) % rows.length];
      await update.run(tx, `${english} ${round}`, Date.now(), id);
    }
    await update.finalize(tx);
  });
  const elapsedMs = await sync(of);
  const [[arrived]] = await of.to.execA('SELECT count(*) FROM words WHERE english LIKE ?', [`% ${round}`]);
  if (arrived !== Math.min(count, rows.length)) throw new Error(`${arrived} of ${count} changes arrived`);
  return elapsedMs;
}
