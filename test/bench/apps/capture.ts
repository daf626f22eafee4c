import { insertWords, withApp } from '../app.js';
import { words } from '../workload.js';

/** Most applications commit less than this in one run. */
const MAX_COMMITS = 20_000;

/** What an application does while the triggers watch: on which database, and with how many rows. */
export const OPERATIONS = {
  bulk: { on: 'empty', rows: (rows: number) => rows },
  rows: { on: 'full', rows: (rows: number) => rows },
  all: { on: 'full', rows: (rows: number) => rows },
  commits: { on: 'empty', rows: (rows: number) => Math.min(rows, MAX_COMMITS) },
} as const;

export type Operation = keyof typeof OPERATIONS;

/** What apps/capture.py does, by better-sqlite3: the ms that an operation takes on a database. */
export function captureRun(operation: Operation, file: string, source: string): number {
  return withApp(file, (database) => {
    const rows = withApp(source, (from) =>
      from.prepare('SELECT * FROM words ORDER BY rowid').raw().all(),
    ) as ReturnType<typeof words>;
    const run = {
      bulk: () => {
        insertWords(database, rows);
      },
      commits: () => {
        insertWords(database, rows, 1);
      },
      rows: () => {
        const update = database.prepare('UPDATE words SET english = ?, updated_at = ? WHERE id = ?');
        database.transaction(() => {
          for (const [id, english, , , updatedAt] of rows) update.run(`${english} 1`, updatedAt + 1, id);
        })();
      },
      all: () => database.exec("UPDATE words SET english = english || ' 1', updated_at = updated_at + 1"),
    }[operation];
    const started = performance.now();
    run();
    return performance.now() - started;
  });
}
