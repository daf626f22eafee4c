import { copyFileSync, rmSync } from 'node:fs';
import { markFileOf } from '#src/changelog/mark-file.js';
import { execute, withDatabase } from './content.js';
import type { Replica } from './group.js';

/** A copy of the database and of the mark file beside it, as they are now; the database's path. */
export function backUp(replica: Replica): string {
  const backup = `${replica.database}.backup`;
  execute(replica.database, `VACUUM INTO '${backup}'`);
  copyFileSync(markFileOf(replica.database), `${backup}-mark`);
  return backup;
}

/** Puts back both while the daemon is down, as the snapshot of a whole disk does. */
export function restoreDisk(replica: Replica, backup: string): void {
  removeLogs(replica);
  copyFileSync(backup, replica.database);
  copyFileSync(`${backup}-mark`, markFileOf(replica.database));
}

/** What SQLite keeps beside a database; a backup goes without. */
export function removeLogs({ database }: Replica): void {
  for (const suffix of ['-wal', '-shm']) rmSync(database + suffix, { force: true });
}

/** Has the application add rows to `words`. */
export function add(replica: Replica, name: string, count: number): void {
  withDatabase(replica.database, (database) => {
    const insert = database.prepare('INSERT INTO words VALUES (?, ?)');
    for (let number = 0; number < count; number += 1) insert.run(`${name}-${number}`, `word ${number}`);
  });
}
