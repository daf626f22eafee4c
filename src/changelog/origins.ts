import type { Database } from 'better-sqlite3';
import { prepared } from '../database/prepared.js';
import { statement } from '../sql/template.js';

/** The numbers under which the changelog holds origins. Numbers never change once given. */
export class Origins {
  private readonly names = new Map<number, string>();
  private readonly ids = new Map<string, number>();

  constructor(private readonly database: Database) {}

  /** The origin's number; gives it one where it has none, so call inside the transaction that uses it. */
  idOf(name: string): number {
    return this.knownId(name) ?? this.add(name);
  }

  /** Undefined where no entry here has this origin. */
  knownId(name: string): number | undefined {
    return this.ids.get(name) ?? this.readId(name);
  }

  nameOf(id: number): string {
    const name = this.names.get(id) ?? this.readName(id);
    if (name === undefined) throw new TypeError(`Expected origin ${id} to be in _sync_origins`);
    return name;
  }

  /** To be called when a transaction that may have given numbers was rolled back. */
  forget(): void {
    this.names.clear();
    this.ids.clear();
  }

  /** One is read at a time: a hostile page names thousands that are not here, and they stay. */
  private readId(name: string): number | undefined {
    const sql = statement('changelog/origin-id');
    const row = prepared<[object], { id: number }>(this.database, sql).get({ name });
    if (row !== undefined) this.remember(row.id, name);
    return row?.id;
  }

  private readName(id: number): string | undefined {
    const sql = statement('changelog/origin-name');
    const row = prepared<[object], { name: string }>(this.database, sql).get({ id });
    if (row !== undefined) this.remember(id, row.name);
    return row?.name;
  }

  private add(name: string): number {
    const result = prepared<[object]>(this.database, statement('changelog/add-origin')).run({ name });
    const id = Number(result.lastInsertRowid);
    this.remember(id, name);
    return id;
  }

  private remember(id: number, name: string): void {
    this.names.set(id, name);
    this.ids.set(name, id);
  }
}
