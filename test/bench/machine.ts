import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import BetterSqlite3 from 'better-sqlite3';
import { packageRoot } from '#src/package-root.js';
import type { InstalledPeers } from './peers.js';

/** Where and with what a figure was measured. */
export interface Circumstances {
  /** UTC, ISO 8601. */
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** Of the last minute, before the benchmark began: above 0.5 something else ran beside it. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
}

export function circumstances(peers: InstalledPeers | string): Circumstances {
  const [first] = cpus();
  return {
    date: new Date().toISOString(),
    cpu: first?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    load: loadavg()[0] ?? 0,
    versions: {
      'sqlite-p2p-sync': versionOf('package.json'),
      commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
        cwd: packageRoot,
        encoding: 'utf8',
      }).trim(),
      Node: process.version,
      SQLite: sqliteVersion(),
      'better-sqlite3': versionOf('node_modules/better-sqlite3/package.json'),
      Python: execFileSync(
        'python3',
        ['-c', 'import sqlite3, sys; print(sys.version.split()[0], "with SQLite", sqlite3.sqlite_version)'],
        { encoding: 'utf8' },
      ).trim(),
      ...(typeof peers === 'string' ? {} : peers.versions),
    },
  };
}

function versionOf(path: string): string {
  return (JSON.parse(readFileSync(packageRoot + path, 'utf8')) as { version: string }).version;
}

function sqliteVersion(): string {
  const database = new BetterSqlite3(':memory:');
  const version = database.prepare('SELECT sqlite_version()').pluck().get() as string;
  database.close();
  return version;
}
