import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { stringify } from 'yaml';
import { loadConfig } from '#src/config/load.js';
import type { Config } from '#src/config/config.js';
import { runMain } from '../cli/captured.js';
import { scratchFolder } from '../scratch.js';

export interface DatabaseFile {
  /** The configuration file beside it. */
  readonly file: string;
  readonly config: Config;
  /** The application's own connection; the caller closes it. */
  readonly app: Database;
}

export interface FileOptions {
  readonly peers?: readonly { name: string; address?: string; direction?: string }[];
  readonly port?: number;
  /** False: `migrate` was not run. */
  readonly migrated?: boolean;
  readonly database?: object;
}

/** A real database file with a table `words`, its configuration, and our tables in it. */
export async function createDatabaseFile(node: string, options: FileOptions = {}): Promise<DatabaseFile> {
  const folder = scratchFolder();
  const app = new BetterSqlite3(join(folder, 'app.db'));
  app.exec('CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER)');
  const file = join(folder, 'sync-config.yaml');
  const content = {
    node: { id: node, listen: `127.0.0.1:${options.port ?? 0}` },
    database: { path: './app.db', ...options.database },
    tables: [{ name: 'words', timestamp_column: 'updated_at' }],
    peers: options.peers ?? [],
    sync: { interval: '1h', live: false },
    network: { max_retries: 0, reconnect_interval: '1h' },
  };
  writeFileSync(file, stringify(content));
  if (options.migrated !== false) {
    const { status, stderr } = await runMain(['migrate', '--no-backup', '--config', file]);
    if (status !== 0) throw new Error(stderr);
  }
  return { file, config: loadConfig(file, {}), app };
}

export function addWords(app: Database, ...ids: string[]): void {
  const insert = app.prepare('INSERT INTO words VALUES (?, ?, ?)');
  for (const id of ids) insert.run(id, `word ${id}`, 1_704_326_400_000);
}

export function wordsOf(app: Database): unknown[] {
  return app.prepare('SELECT id FROM words ORDER BY id').pluck().all();
}
