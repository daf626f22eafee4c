/**
 * PouchDB that replicates from PouchDB's server over HTTP. Arguments: the server's port, a folder, documents. Reads
 * lines "sync": answers with the ms until a new local database has all of them.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import PouchDB from 'pouchdb';

const [port, folder, count] = process.argv.slice(2);
const Stored = PouchDB.defaults({ prefix: join(folder, '/') });
let databases = 0;

console.log('ready');
createInterface({ input: process.stdin }).on('line', async () => console.log(await sync()));

async function sync() {
  databases += 1;
  const local = new Stored(`copy-${databases}`);
  const started = performance.now();
  await local.replicate.from(`http://127.0.0.1:${port}/words`, { batch_size: 1000 });
  const elapsedMs = performance.now() - started;
  const { doc_count: arrived } = await local.info();
  if (arrived !== Number(count)) throw new Error(`${arrived} of ${count} documents arrived`);
  await local.close();
  return elapsedMs;
}
