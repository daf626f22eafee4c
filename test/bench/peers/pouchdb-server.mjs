/**
 * PouchDB's server under express: one database with the rows as documents. Arguments: the source, a folder, rows. Reads
 * lines with the number of another row of the source: adds it, and answers with its id and the time right after that, in
 * ms of the machine's monotonic clock.
 */
import express from 'express';
import expressPouchDB from 'express-pouchdb';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import PouchDB from 'pouchdb';
import { sourceRows } from './source.mjs';

const [source, folder, count] = process.argv.slice(2);
const BATCH = 1000;

const Stored = PouchDB.defaults({ prefix: join(folder, '/') });
const database = new Stored('words');
const all = sourceRows(source).map(([_id, english, chinese, pronunciation, updated_at, deleted_at]) => ({
  _id,
  english,
  chinese,
  pronunciation,
  updated_at,
  deleted_at,
}));
const documents = all.slice(0, Number(count));
for (let at = 0; at < documents.length; at += BATCH) await database.bulkDocs(documents.slice(at, at + BATCH));

const app = express();
app.use(
  '/',
  expressPouchDB(Stored, {
    mode: 'minimumForPouchDB',
    inMemoryConfig: true,
    logPath: join(folder, 'log.txt'),
  }),
);
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
createInterface({ input: process.stdin }).on('line', async (number) => {
  const { id } = await database.put(all[Number(number)]);
  console.log(`${id} ${Number(process.hrtime.bigint()) / 1e6}`);
});
