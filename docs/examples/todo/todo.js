// A to-do list that brings its own replication: no daemon beside it, the program itself is the replica.
//
//   node todo.js            reads commands from its input: add TEXT, done ID, list, pull, status, quit
import { createInterface } from 'node:readline';
import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import { createLogger, loadConfig, openReplica } from 'sqlite-p2p-sync';

const config = loadConfig('./sync-config.yaml');
const database = new Database(config.database.path, { timeout: 5000 });
database.exec('CREATE TABLE IF NOT EXISTS todos (id TEXT PRIMARY KEY, text TEXT NOT NULL, done_at INTEGER)');

const logger = createLogger({ level: 'warn', format: 'text', file: null }, process.stderr);
const replica = await openReplica(config, { logger, migrate: true });
replica.on('applied', (peer, page) => console.log(`${page.applied} from ${peer}`));
replica.on('conflict', (peer, count) => console.log(`${count} overruled, see sqlite-p2p-sync conflicts`));
await replica.start();
console.log(`listening on ${replica.address}`);

const commands = {
  add: (text) => database.prepare('INSERT INTO todos VALUES (?, ?, NULL)').run(randomUUID(), text),
  done: (id) => database.prepare('UPDATE todos SET done_at = ? WHERE id = ?').run(Date.now(), id),
  list() {
    for (const todo of database.prepare('SELECT * FROM todos ORDER BY text').all()) {
      console.log(`${todo.id} ${todo.done_at === null ? '[ ]' : '[x]'} ${todo.text}`);
    }
  },
  async pull() {
    for (const { peer, error } of await replica.sync()) console.log(`${peer}: ${error?.message ?? 'pulled'}`);
  },
  async status() {
    const { node, head, conflicts } = await replica.status();
    console.log(`${node}: changelog at ${head}, ${conflicts} conflicts`);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...rest] = line.trim().split(' ');
  if (name === 'quit') break;
  if (Object.hasOwn(commands, name)) await commands[name](rest.join(' '));
  else console.log(`there is no command "${name}"`);
}
await replica.stop();
database.close();
