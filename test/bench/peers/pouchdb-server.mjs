/** PouchDB's server under express: one database with the rows as documents. Arguments: the source, a folder, rows. */
import express from 'express';
import expressPouchDB from 'express-pouchdb';
import { join } from 'node:path';
import PouchDB from 'pouchdb';
import { sourceRows } from './source.mjs';

const [source, folder, count] = process.argv.slice(2);
const BATCH = 1000;

const Stored = PouchDB.defaults({ prefix: join(folder, '/') });
const database = new Stored('words');
const documents = sourceRows(source)
  .slice(0, Number(count))
  .map(([_id, english, chinese, pronunciation, updated_at, deleted_at]) => ({
    _id,
    english,
    chinese,
    pronunciation,
    updated_at,
    deleted_at,
  }));
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
