import type { Database } from 'better-sqlite3';
import { statement } from '../sql/template.js';

/** The numbers under which the changelog holds origins. Numbers never change once given. */
export class Origins {
  private readonly names = new Map<number, string>();
  private readonly ids = new Map<string, number>();

  constructor(private readonly database: Database) {}

  /** The origin's number; gives it one where it has none, so call inside the transaction that uses it. */
  idOf(name: string): number {
    return this.ids.get(name) ?? this.read().ids.get(name) ?? this.add(name);
  }

  /** Undefined where no entry here has this origin. */
  knownId(name: string): number | undefined {
    return this.ids.get(name) ?? this.read().ids.get(name);
  }

  nameOf(id: number): string {
    const name = this.names.get(id) ?? this.read().names.get(id);
    if (name === undefined) throw new TypeError(`Expected origin ${id} to be in _sync_origins`);
    return name;
  }

  /** To be called when a transaction that may have given numbers was rolled back. */
  forget(): void {
    this.names.clear();
    this.ids.clear();
  }

  private read(): this {
    for (const row of this.database
      .prepare<[], { id: number; name: string }>(statement('changelog/origins'))
      .iterate()) {
      this.remember(row.id, row.name);
    }
    return this;
  }

  private add(name: string): number {
    const result = this.database.prepare(statement('changelog/add-origin')).run({ name });
    const id = Number(result.lastInsertRowid);
    this.remember(id, name);
    return id;
  }

  private remember(id: number, name: string): void {
    this.names.set(id, name);
    this.ids.set(name, id);
  }
}
