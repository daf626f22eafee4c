/**
 * SQLite's session extension, from file to file in one process. Arguments: the source of the rows, a folder. Reads
 * lines "sync": answers with the ms from asking for the changeset of all rows to having applied it. Needs Node 24.
 */
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const [source, folder] = process.argv.slice(2);
const SCHEMA = `CREATE TABLE words (
  id TEXT PRIMARY KEY, english TEXT, chinese TEXT, pronunciation TEXT, updated_at INTEGER, deleted_at INTEGER
)`;
let files = 0;

console.log('ready');
createInterface({ input: process.stdin }).on('line', () => console.log(sync()));

function open() {
  files += 1;
  const database = new DatabaseSync(join(folder, `session-${files}.db`));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec(SCHEMA);
  return database;
}

function sync() {
  const from = open();
  const to = open();
  const session = from.createSession({ table: 'words' });
  from.prepare('ATTACH ? AS source').run(source);
  from.exec('INSERT INTO main.words SELECT * FROM source.words ORDER BY rowid');
  const started = performance.now();
  const applied = to.applyChangeset(session.changeset());
  const elapsedMs = performance.now() - started;
  const count = (database) => database.prepare('SELECT count(*) AS n FROM main.words').get().n;
  if (!applied || count(from) !== count(to)) throw new Error('not all rows were applied');
  from.close();
  to.close();
  return elapsedMs;
}
