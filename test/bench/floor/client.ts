/**
 * The floor's client: reads lines "FILE LIMIT", pulls all pages into that database by plain upserts, one transaction
 * a page, and answers with the ms it took. Arguments: the server's port.
 */
import { createInterface } from 'node:readline';
import { Agent, request } from 'undici';
import { openApp } from '../app.js';
import { SCHEMA } from '../workload.js';

interface FloorRow {
  readonly seq: number;
}

const UPSERT = `INSERT INTO words VALUES (@id, @english, @chinese, @pronunciation, @updated_at, @deleted_at)
  ON CONFLICT (id) DO UPDATE SET english = excluded.english, chinese = excluded.chinese,
    pronunciation = excluded.pronunciation, updated_at = excluded.updated_at, deleted_at = excluded.deleted_at`;

const address = `http://127.0.0.1:${process.argv[2] ?? ''}`;
const dispatcher = new Agent({ connections: 1 });

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [file = '', limit = ''] = line.split(' ');
  console.log(await pull(file, Number(limit)));
}
await dispatcher.close();

async function pull(file: string, limit: number): Promise<number> {
  const database = openApp(file);
  database.exec(SCHEMA);
  const upsert = database.prepare(UPSERT);
  const write = database.transaction((rows: readonly FloorRow[]) => {
    for (const row of rows) upsert.run(row);
  });
  const started = performance.now();
  for (let after = 0, full = true; full;) {
    const answer = await request(`${address}/rows?after=${after}&limit=${limit}`, { dispatcher });
    const { rows } = JSON.parse(await answer.body.text()) as { rows: FloorRow[] };
    write(rows);
    after = rows.at(-1)?.seq ?? after;
    full = rows.length === limit;
  }
  const elapsedMs = performance.now() - started;
  database.close();
  return elapsedMs;
}
