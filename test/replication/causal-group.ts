import { expect } from 'chai';
import type { Conflict, ConflictSide } from '#src/apply/conflict-list.js';
import type { Change } from '#src/wire/change.js';
import { QuickGroup, tableConfig, type QuickReplica } from './quick-replica.js';
import { ModelReplica, orderOf, type Written } from './vector-clocks.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER, deleted_at INTEGER);
  CREATE TABLE notes (id TEXT PRIMARY KEY, body);
`;

const TABLES = [
  tableConfig('words', { timestampColumn: 'updated_at', softDeleteColumn: 'deleted_at' }),
  tableConfig('notes'),
];

type Table = 'words' | 'notes';

/**
 * Long ago, ms: what a trigger captures lies ahead of every clock of the group, so that it counts as now, and a history
 * does not depend on how fast this machine is.
 */
const BEGIN_MS = 1_600_000_000_000;

const NODES = ['ann', 'bob', 'cid', 'dan', 'eva'];

interface Place {
  readonly replica: QuickReplica;
  readonly model: ModelReplica;
  /** The ledger that the model expects: losing versions, by table, key and version. */
  readonly ledger: Map<string, Written>;
}

interface Pull {
  readonly pageSize: number;
  /** At most. */
  readonly pages: number;
  /** The application of the replica that is pulled from holds the write lock, so that nothing can be folded there. */
  readonly locked: boolean;
}

const ALL: Pull = { pageSize: 3, pages: 100, locked: false };

/** Replicas, each beside a model of it; after every step the two are compared. */
export class CausalGroup {
  meetings = 0;
  private readonly quick = new QuickGroup(SCHEMA, TABLES);
  private places: Place[] = [];
  /** Every version that was ever made, by row and its real version. */
  private readonly known = new Map<string, Written>();
  /** Versions that an author wrote over, or that lost to their own content. */
  private readonly followed = new Set<Written>();

  /** Starts over with new replicas. */
  begin(count: number): void {
    this.quick.clear();
    this.quick.nowMs = BEGIN_MS;
    this.known.clear();
    this.followed.clear();
    this.meetings = 0;
    this.places = NODES.slice(0, count).map((node) => ({
      replica: this.quick.add(node),
      model: new ModelReplica(node),
      ledger: new Map(),
    }));
  }

  remove(): void {
    this.quick.remove();
  }

  /** Ledger entries in all replicas. */
  get lost(): number {
    return this.places.reduce((sum, { ledger }) => sum + ledger.size, 0);
  }

  setClock(at: number, skewMs: number): void {
    this.place(at).replica.skewMs = skewMs;
  }

  putWord(at: number, key: number, english: string, clockMs: number): void {
    const { app } = this.place(at).replica;
    app
      .prepare(
        `INSERT INTO words VALUES (?, ?, ?, NULL) ON CONFLICT (id)
         DO UPDATE SET english = excluded.english, updated_at = excluded.updated_at, deleted_at = NULL`,
      )
      .run(`k${key}`, english, BigInt(BEGIN_MS + clockMs));
    this.wrote(at, 'words', key);
  }

  putNote(at: number, key: number, body: number): void {
    this.place(at)
      .replica.app.prepare('INSERT OR REPLACE INTO notes VALUES (?, ?)')
      .run(`k${key}`, BigInt(body));
    this.wrote(at, 'notes', key);
  }

  softDelete(at: number, key: number, clockMs: number): void {
    const clock = BigInt(BEGIN_MS + clockMs);
    const { changes } = this.place(at)
      .replica.app.prepare('UPDATE words SET deleted_at = ?, updated_at = ? WHERE id = ?')
      .run(clock, clock, `k${key}`);
    if (changes > 0) this.wrote(at, 'words', key);
  }

  /** Writes a row again as it is. */
  touch(at: number, table: Table, key: number): void {
    const { changes } = this.place(at)
      .replica.app.prepare(`UPDATE ${table} SET id = id WHERE id = ?`)
      .run(`k${key}`);
    if (changes > 0) this.wrote(at, table, key);
  }

  erase(at: number, table: Table, key: number): void {
    const { changes } = this.place(at)
      .replica.app.prepare(`DELETE FROM ${table} WHERE id = ?`)
      .run(`k${key}`);
    if (changes > 0) this.wrote(at, table, key);
  }

  /** The model learns what the application wrote from the application's own connection. */
  private wrote(at: number, table: Table, key: number): void {
    const { replica, model } = this.place(at);
    this.quick.nowMs += 7;
    model.write(`${table} k${key}`, contentOf(replica, table, `k${key}`));
  }

  fold(at: number): void {
    const { replica, model } = this.place(at);
    if (!model.hasWritten) return;
    const replaced = new Map(model.versions);
    replica.fold();
    const made = model.fold();
    for (const { row } of made) {
      const before = replaced.get(row);
      if (before !== undefined) this.followed.add(before);
    }
    const standing = standingRows(replica);
    for (const version of made) {
      const name = `${version.row} ${standing.get(version.row)?.id}`;
      expect(this.known.has(name), `${name} was made twice`).to.equal(false);
      this.known.set(name, version);
    }
    this.expectStanding(at, standing);
  }

  /** Pulls some pages. */
  pull(at: number, from: number, { pageSize, pages, locked }: Pull): number {
    if (at === from) return 0;
    this.quick.nowMs += 7;
    if (!locked) this.fold(from);
    this.fold(at);
    let received = 0;
    for (let page = 0; page < pages; page += 1) {
      const pulled = this.place(at).replica.pullPage(this.place(from).replica, pageSize, { fold: !locked });
      if (pulled.page.changes.length > 0) {
        received += pulled.page.changes.length;
        const standing = standingRows(this.place(at).replica);
        for (const change of pulled.page.changes) this.meet(at, change, standing);
        this.expectStanding(at, standing);
        this.expectLedger(at);
      }
      if (!pulled.page.has_more) break;
    }
    return received;
  }

  /** What the model says of a change that arrived, and of the version that was here. */
  private meet(at: number, change: Change, standing: ReadonlyMap<string, Standing>): void {
    const { model, ledger } = this.place(at);
    const row = `${change.table} ${change.key[0] as string}`;
    const incoming = this.known.get(`${row} ${versionId(change.version)}`);
    if (incoming === undefined) throw new Error(`${row} ${versionId(change.version)} was never made`);
    const local = model.versions.get(row);
    const incomingStands = this.known.get(`${row} ${standing.get(row)?.id}`) === incoming;
    if (local === undefined) {
      expect(incomingStands, `${row}, unknown until now`).to.equal(true);
      model.take(incoming);
      return;
    }
    const order = orderOf(local, incoming);
    if (order === 'same') return;
    this.meetings += 1;
    if (order !== 'concurrent') {
      expect(incomingStands, `an incoming ${row} that comes after what is here`).to.equal(order === 'before');
    } else {
      const loser = incomingStands ? local : incoming;
      if (local.content === incoming.content) this.followed.add(loser);
      else ledger.set(this.nameOf(loser), loser);
    }
    if (incomingStands) model.take(incoming);
  }

  private nameOf(version: Written): string {
    for (const [name, known] of this.known) if (known === version) return name;
    throw new Error(`a version of ${version.row} that was never made`);
  }

  /** Neighbours in a chain pull from each other until nothing moves any more. */
  settle(): void {
    const links = this.places.slice(1).map((_, at) => [at, at + 1] as const);
    for (let round = 0; round < 10; round += 1) {
      let received = 0;
      for (const [one, other] of links) {
        received += this.pull(one, other, ALL) + this.pull(other, one, ALL);
      }
      if (received === 0) return;
    }
    throw new Error('still moving after ten rounds');
  }

  /** Each version that was ever made is at rest, was written over by an author who knew it, or is in a ledger. */
  expectNothingLost(): void {
    const [first, ...others] = this.places.map(({ replica }) => standingRows(replica));
    if (first === undefined) return;
    for (const other of others) expect(other).to.deep.equal(first);
    const atRest = new Set([...first].map(([row, { id }]) => `${row} ${id}`));
    for (const [name, version] of this.known) {
      const listed = this.places.some(({ ledger }) => ledger.has(name));
      if (!atRest.has(name) && !this.followed.has(version)) expect(listed, `${name} is lost`).to.equal(true);
    }
  }

  private expectStanding(at: number, standing: ReadonlyMap<string, Standing>): void {
    const { replica, model } = this.place(at);
    expect(standing.size, `rows with a version at ${replica.node}`).to.equal(model.versions.size);
    for (const [row, { id, content }] of standing) {
      const version = model.versions.get(row);
      expect(this.known.get(`${row} ${id}`), `${row} at ${replica.node}`).to.equal(version);
      expect(content, `${row} at ${replica.node}`).to.equal(version?.content);
    }
  }

  private expectLedger(at: number): void {
    const { replica, ledger } = this.place(at);
    const entries = replica.conflicts(true).map((conflict) => {
      const side = loserOf(conflict);
      return [
        `${conflict.table} ${conflict.key[0] as string} ${versionId(side)}`,
        sideContent(conflict.table as Table, side),
      ] as const;
    });
    const expected = [...ledger].map(([name, { content }]) => [name, content] as const);
    expect(sorted(entries), `ledger of ${replica.node}`).to.deep.equal(sorted(expected));
  }

  private place(at: number): Place {
    const place = this.places[at];
    if (place === undefined) throw new TypeError(`Expected replica ${at} to be there`);
    return place;
  }
}

function sorted(entries: (readonly [string, string | null])[]): unknown[] {
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

function loserOf({ local, remote }: Conflict): ConflictSide {
  return local.won ? remote : local;
}

function versionId(version: { stamp: number; origin: string; fingerprint: string }): string {
  return `${version.stamp} ${version.origin} ${version.fingerprint}`;
}

interface Standing {
  readonly id: string;
  readonly content: string | null;
}

/** The version that stands for each row and the row as it is, by table and key. */
function standingRows({ app }: QuickReplica): Map<string, Standing> {
  const rows = app
    .prepare<[], { row: string; content: string | null; stamp: number; origin: string; fingerprint: string }>(
      `SELECT table_name || ' ' || record_id AS row, timestamp AS stamp, o.name AS origin,
         coalesce(lower(hex(fingerprint)), '') AS fingerprint,
         CASE table_name
           WHEN 'words' THEN (SELECT json_array(english, updated_at, deleted_at) FROM words WHERE id = record_id)
           ELSE (SELECT json_array(body) FROM notes WHERE id = record_id)
         END AS content
       FROM _sync_changes AS c JOIN _sync_origins AS o ON o.id = c.origin`,
    )
    .all();
  return new Map(rows.map(({ row, content, ...version }) => [row, { id: versionId(version), content }]));
}

const COLUMNS = { words: ['english', 'updated_at', 'deleted_at'], notes: ['body'] } as const;

function contentOf({ app }: QuickReplica, table: Table, key: string): string | null {
  const row = app
    .prepare<[string], unknown[]>(`SELECT ${COLUMNS[table].join(', ')} FROM ${table} WHERE id = ?`)
    .raw(true)
    .get(key);
  return row === undefined ? null : JSON.stringify(row);
}

function sideContent(table: Table, { record }: ConflictSide): string | null {
  return record === null ? null : JSON.stringify(COLUMNS[table].map((name) => record[name]));
}
