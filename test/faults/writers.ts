import BetterSqlite3 from 'better-sqlite3';
import { SqliteShell, startPython } from '../replication/foreign-programs.js';
import type { Program } from '../replication/program.js';

/** A write of one row by an application. */
export interface Write {
  readonly table: 'words' | 'notes';
  readonly key: string;
  readonly kind: 'put' | 'soft delete' | 'delete';
  /** What it writes; null for a delete. */
  readonly value: string | null;
  /** The application's clock, ms. */
  readonly nowMs: number;
}

/** An acknowledged write: committed, as far as the application knows. */
export interface Acknowledged {
  /** The value that the row had; null where there was none. */
  readonly replaced: string | null;
  /** False where there was nothing to change. */
  readonly changed: boolean;
}

export type WriterName = 'python' | 'sqlite3' | 'node';

/** Applications that know nothing of replication, each with its own SQLite. */
export class Writers {
  readonly #python: Program = startPython('acknowledging_writer.py');

  async write(file: string, write: Write, writer: WriterName): Promise<Acknowledged> {
    switch (writer) {
      case 'python':
        return this.#byPython(file, write);
      case 'sqlite3':
        return byShell(file, write);
      case 'node':
        return byNode(file, write);
    }
  }

  async close(): Promise<void> {
    this.#python.closeInput();
    const { code } = await this.#python.ended;
    if (code !== 0) throw new Error(this.#python.transcript);
  }

  async #byPython(file: string, write: Write): Promise<Acknowledged> {
    const from = this.#python.lines.length;
    const { sql, parameters } = statementOf(write);
    this.#python.write(`${JSON.stringify([file, SELECT[write.table], write.key, sql, parameters])}\n`);
    const answer = await this.#python.line(() => true, 'acknowledgement', 30_000, from);
    const [replaced, changes] = JSON.parse(answer) as [string | null, number];
    return { replaced, changed: changes > 0 };
  }
}

const SELECT = {
  words: 'SELECT english FROM words WHERE id = ?',
  notes: 'SELECT body FROM notes WHERE id = ?',
};

function statementOf({ table, key, kind, value, nowMs }: Write) {
  if (kind === 'delete') return { sql: `DELETE FROM ${table} WHERE id = ?`, parameters: [key] };
  if (table === 'notes') {
    return { sql: 'INSERT OR REPLACE INTO notes VALUES (?, ?)', parameters: [key, value] };
  }
  if (kind === 'soft delete') {
    const sql = 'UPDATE words SET english = ?, updated_at = ?, deleted_at = ? WHERE id = ?';
    return { sql, parameters: [value, nowMs, nowMs, key] };
  }
  const sql = `INSERT INTO words VALUES (?, ?, ?, NULL) ON CONFLICT (id)
    DO UPDATE SET english = excluded.english, updated_at = excluded.updated_at, deleted_at = NULL`;
  return { sql, parameters: [key, value, nowMs] };
}

function byNode(file: string, write: Write): Acknowledged {
  const database = new BetterSqlite3(file, { fileMustExist: true, timeout: 20_000 });
  try {
    const { sql, parameters } = statementOf(write);
    const commit = database.transaction(() => {
      const replaced = database.prepare<[string], string>(SELECT[write.table]).pluck().get(write.key);
      const { changes } = database.prepare(sql).run(...parameters);
      return { replaced: replaced ?? null, changed: changes > 0 };
    });
    return commit.immediate();
  } finally {
    database.close();
  }
}

async function byShell(file: string, write: Write): Promise<Acknowledged> {
  const shell = new SqliteShell(file);
  const { sql, parameters } = statementOf(write);
  const lines = await shell.run(
    `BEGIN IMMEDIATE; ${filledIn(SELECT[write.table], [write.key])}; ${filledIn(sql, parameters)};
     SELECT 'changed ' || changes(); COMMIT;`,
  );
  await shell.close();
  const changed = lines.at(-1);
  return {
    replaced: lines.length > 1 ? (lines[0] ?? null) : null,
    changed: changed !== 'changed 0',
  };
}

function filledIn(sql: string, parameters: readonly (string | number | null)[]): string {
  const rest = [...parameters];
  return sql.replaceAll('?', () => {
    const value = rest.shift() ?? null;
    return typeof value === 'string' ? `'${value}'` : String(value);
  });
}
