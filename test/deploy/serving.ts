import BetterSqlite3 from 'better-sqlite3';
import { freePorts } from '../replication/group.js';
import type { Workplace } from '../docs/script.js';

/** A script that starts the container's entry point in a folder with a database, asks whether it is well, and ends it. */
export async function startServing(place: Workplace): Promise<string> {
  const app = new BetterSqlite3(place.path('app.db'));
  app.exec("CREATE TABLE words (id TEXT PRIMARY KEY, updated_at INTEGER); INSERT INTO words VALUES ('w', 1)");
  app.close();
  const [port = 0] = await freePorts(1);
  return `
export SYNC_API_KEY=$(sqlite-p2p-sync keygen) HEALTH_URL=http://127.0.0.1:${port}/health
sed -i 's/0.0.0.0:8091/127.0.0.1:${port}/; /^peers/,/^clock/{/^clock/!d;}' sync-config.yaml
cp healthcheck.js healthcheck.mjs
./entrypoint.sh start > log.txt 2>&1 &
until grep -q '"listening"' log.txt; do kill -0 %1; sleep 0.1; done
node healthcheck.mjs && echo healthy
kill %1
wait %1
node healthcheck.mjs || echo not healthy any more
cat log.txt
`;
}
