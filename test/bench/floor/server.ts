/** The floor's server: pages of rows as JSON over express, nothing else. Arguments: the database file. */
import BetterSqlite3 from 'better-sqlite3';
import express from 'express';
import type { AddressInfo } from 'node:net';

const database = new BetterSqlite3(process.argv[2], { readonly: true });
const page = database.prepare('SELECT rowid AS seq, * FROM words WHERE rowid > ? ORDER BY rowid LIMIT ?');

const app = express();
app.disable('etag');
app.get('/rows', (request, response) => {
  response.json({ rows: page.all(Number(request.query.after), Number(request.query.limit)) });
});
const server = app.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port);
});
