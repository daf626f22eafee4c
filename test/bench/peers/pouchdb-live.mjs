/**
 * PouchDB that replicates live from PouchDB's server over HTTP. Arguments: the server's port, a folder. Reads lines with
 * the id of a document: answers when it is in the local database, with the time in ms of the machine's monotonic clock.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import PouchDB from 'pouchdb';

const [port, folder] = process.argv.slice(2);
const Stored = PouchDB.defaults({ prefix: join(folder, '/') });
const local = new Stored('live-copy');
const arrived = new Map();
const awaited = new Map();

local.changes({ live: true, since: 'now' }).on('change', ({ id }) => {
  const at = Number(process.hrtime.bigint()) / 1e6;
  arrived.set(id, at);
  awaited.get(id)?.(at);
});
let isReady = false;
local.replicate.from(`http://127.0.0.1:${port}/words`, { live: true, retry: true }).on('paused', () => {
  if (!isReady) console.log('ready');
  isReady = true;
});
createInterface({ input: process.stdin }).on('line', async (id) => {
  const at = arrived.get(id) ?? (await new Promise((resolve) => awaited.set(id, resolve)));
  console.log(at);
});
