// Loaded into a replica's process (NODE_OPTIONS): its connections may not make the database larger than a file says, in
// pages; 0: as large as they like. SQLite then finds no room, as on a full disk, until the file says otherwise.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const BetterSqlite3 = createRequire(import.meta.url)('better-sqlite3');
const UNLIMITED = 1_073_741_823;

const { transaction } = BetterSqlite3.prototype;
BetterSqlite3.prototype.transaction = function limited(work) {
  const pages = Number(readFileSync(process.env.TEST_MAX_PAGES_FILE, 'utf8')) || UNLIMITED;
  this.pragma(`max_page_count = ${pages}`);
  return transaction.call(this, work);
};
