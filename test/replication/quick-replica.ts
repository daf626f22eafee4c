import { appendVanished } from '#src/changelog/vanished.js';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { applyPart, beginPage, takenBack, type PartDone } from '#src/apply/apply-page.js';
import { requireNamed } from '#src/apply/named.js';
import { pullStart, type PullStart } from '#src/apply/pull-start.js';
import { listConflicts, type Conflict } from '#src/apply/conflict-list.js';
import { resolveConflict, type Resolve } from '#src/apply/resolve-conflict.js';
import { openChangelog, readReplica, type Changelog } from '#src/changelog/changelog.js';
import { claimIdentity, isOutdated, looksRewound, renewRewound } from '#src/changelog/identity.js';
import { keepMark, lastMarkOf, markFileOf } from '#src/changelog/mark-file.js';
import { foldBatch } from '#src/changelog/fold.js';
import { placeOf } from '#src/changelog/marks.js';
import { meetPuller, tellOwn } from '#src/changelog/own-member.js';
import { noteServed } from '#src/changelog/served.js';
import { readMembers } from '#src/changelog/members.js';
import { forgetMember } from '#src/changelog/forget-member.js';
import { pruneBatch, pruneBound } from '#src/changelog/prune.js';
import { dueAfter, heldAfter } from '#src/apply/held-list.js';
import { dropHeld, retryHeld } from '#src/apply/retry-held.js';
import { buildPage, type BuiltPage, type PageQuery } from '#src/changelog/page.js';
import { captureOf, triggersOf } from '#src/changelog/triggers.js';
import type { TableConfig } from '#src/config/config.js';
import { Resolvers } from '#src/config/resolvers.js';
import { planCapture, planMigration, runStatements } from '#src/database/migrate.js';
import { SyncError } from '#src/errors.js';
import { statement } from '#src/sql/template.js';
import type { Heard, Member } from '#src/wire/members.js';
import { parsePage, type Page } from '#src/wire/page.js';
import { instanceOf } from '#src/wire/instance.js';
import { openFast, replicated } from './quick-database.js';

/** A configured table with the defaults of the configuration file. */
export function tableConfig(name: string, overrides: Partial<TableConfig> = {}): TableConfig {
  return {
    name,
    primaryKey: null,
    timestampColumn: null,
    timestampFormat: 'auto',
    softDeleteColumn: null,
    conflictResolution: 'latest_wins',
    preferredNode: null,
    resolver: null,
    excludeColumns: [],
    allowIntegerKey: false,
    ...overrides,
  };
}

export interface PullCounts {
  received: number;
  named: number;
  applied: number;
  conflicts: number;
  quarantined: number;
}

/**
 * A replica without processes and HTTP: a real file, real triggers, fold, pages as they travel and apply, one call
 * after the other. For random histories, of which hundreds have to fit into a test run.
 */
export class QuickReplica {
  /** Added to the machine's clock, ms. */
  skewMs = 0;
  /** Infinity: changes are taken whatever their stamps are. */
  abortSkewMs = Infinity;
  /** The application's own connection. */
  readonly app: Database;
  readonly database: Database;
  readonly changelog: Changelog;

  constructor(
    readonly node: string,
    file: string,
    tables: readonly TableConfig[],
    private readonly clock: () => number,
    resolvers = new Resolvers(),
  ) {
    this.app = openFast(file);
    this.database = openFast(file);
    this.database.transaction(() => claimIdentity(this.database, node)).immediate();
    keepMark(this.database);
    this.changelog = openChangelog(this.database, replicated(this.database, tables), resolvers);
    this.write(() => {
      noteServed(this.changelog);
      tellOwn(this.changelog, this.nowMs);
    });
  }

  /** Puts triggers back after the schema was altered, as the writer does. */
  recapture(): void {
    for (const sql of planCapture(this.database, captureOf(this.changelog.tables))) this.database.exec(sql);
  }

  get nowMs(): number {
    return this.clock() + this.skewMs;
  }

  get origin(): string {
    return instanceOf(readReplica(this.database));
  }

  fold(): number {
    return this.database.transaction(() => this.foldAll()).immediate();
  }

  /** Pulls from another replica to its head. */
  pullFrom(peer: QuickReplica, pageSize = 3): PullCounts {
    const total: PullCounts = { received: 0, named: 0, applied: 0, conflicts: 0, quarantined: 0 };
    for (;;) {
      const { page, counts } = this.pullPage(peer, pageSize);
      total.received += page.changes.length;
      total.named += page.named.length;
      total.applied += counts.applied;
      total.conflicts += counts.conflicts;
      total.quarantined += counts.quarantined;
      if (!page.has_more) return total;
    }
  }

  /** Pulls the next page from another replica; `fold` false: whose application holds the write lock meanwhile. */
  pullPage(
    peer: QuickReplica,
    pageSize: number,
    { fold = true } = {},
  ): { page: Page; counts: PartDone['counts'] } {
    if (fold) peer.fold();
    const { page, start } = this.ask(peer, pageSize);
    const heard = page.your_instance ?? null;
    if (looksRewound(this.database, page.your_cursor ?? '') || isOutdated(this.database, heard)) {
      this.believeRewound(heard);
      return this.pullPage(peer, pageSize);
    }
    const { counts, overclaimed } = this.applyWhole(page, peer.node, start);
    if (!overclaimed) return { page, counts };
    this.believeRewound();
    return this.pullPage(peer, pageSize);
  }

  /** What it asks a peer with next. */
  startOf(peer: QuickReplica): PullStart {
    return pullStart(this.changelog, peer.node);
  }

  private ask(peer: QuickReplica, pageSize: number, whole = false): { page: Page; start: PullStart } {
    const start = { ...this.startOf(peer), whole };
    try {
      const page = parsePage(Buffer.from(peer.page(start.cursor, pageSize, this.origin, start)));
      peer.meet(start);
      this.fold();
      requireNamed(this.changelog, peer.node, page.named);
      return { page, start };
    } catch (error) {
      const code = error instanceof SyncError ? error.code : null;
      if (code === 'rows_missing' && !whole) return this.ask(peer, pageSize, true);
      if (code !== 'cursor_invalid' && code !== 'log_rewound') throw error;
      if (code === 'log_rewound') peer.believeRewound(start.heard);
      this.forgetCursorOf(peer);
      return this.ask(peer, pageSize);
    }
  }

  /** Goes on as a new instance, for a peer has what this log had and has no more. */
  believeRewound(heard: Heard | null = null): void {
    this.write(() => {
      renewRewound(this.database, heard?.born_ms);
      tellOwn(this.changelog, this.nowMs);
    });
    keepMark(this.database);
  }

  /** Makes the next pull from the peer start over. */
  forgetCursorOf(peer: QuickReplica): void {
    this.changelog.prepare(statement('peers/reset-cursor')).run({ name: peer.node });
  }

  /** The open conflicts, with `all` the settled ones too, newest first. */
  conflicts(all = false): readonly Conflict[] {
    return listConflicts(this.database, { all }).conflicts;
  }

  resolve(id: number, keep: Resolve['keep'], force = false): Conflict {
    return this.database
      .transaction(() => {
        this.foldAll();
        return resolveConflict(this.changelog, id, { keep, force }, this.clocks);
      })
      .immediate();
  }

  /** Everyone that this replica has heard of, itself included. */
  members(): ReadonlyMap<string, Member> {
    return readMembers(this.changelog);
  }

  /** Drops the tombstones that everyone has who was heard of; how many. */
  prune(): number {
    let dropped = 0;
    for (let after: number | null = 0; after !== null;) {
      const from: number = after;
      const batch = this.write(() => {
        this.foldAll();
        return pruneBatch(this.changelog, [], from);
      });
      dropped += batch.tombstones;
      after = batch.last;
    }
    return dropped;
  }

  forget(node: string): void {
    this.write(() => forgetMember(this.changelog, node, [], this.nowMs));
  }

  /** Why nothing can be pruned, by member. */
  blocks(): Record<string, string | null> {
    const { standings } = pruneBound(this.changelog, []);
    return Object.fromEntries(standings.map(({ member, blocks }) => [member.node, blocks]));
  }

  /** Has a person try what is in quarantine again; with `due` what was to wait until now tries itself. */
  retryHeld(due = false): void {
    this.write(() => {
      this.foldAll();
      const held = due ? dueAfter(this.database, this.nowMs, 0, 1_000) : heldAfter(this.database, 0, 1_000);
      return retryHeld(this.changelog, held, this.clocks, !due);
    });
  }

  /** Has a person drop a change from quarantine. */
  drop(id: number): void {
    this.write(() => dropHeld(this.changelog, id, this.nowMs));
  }

  /** The database file as it is now, in another place. */
  copyTo(file: string): void {
    this.database.exec(`VACUUM INTO '${file}'`);
  }

  /** Notes what a puller has, and says of itself. */
  meet({ cursor, member }: PullStart, name = member.node): void {
    const { overclaimed } = this.write(() => {
      const acknowledged = placeOf(this.database, readReplica(this.database).epoch, cursor);
      const { epoch } = member;
      this.changelog
        .prepare(statement('peers/acknowledge'))
        .run({ name, epoch, acknowledged, nowMs: this.nowMs });
      return meetPuller(this.changelog, member, this.nowMs);
    });
    if (overclaimed) this.believeRewound();
  }

  private write<T>(work: () => T): T {
    return this.database.transaction(work).immediate();
  }

  applyWhole(page: Page, peer: string, { cursor: since, pruned }: PullStart, asked = this.origin): PartDone {
    // So few that the small pages of a random history have them too.
    let progress = beginPage(page, 2);
    for (;;) {
      try {
        return this.database
          .transaction(() => {
            this.foldAll();
            return applyPart(this.changelog, progress, {
              ...this.clocks,
              peer,
              since,
              pruned,
              epoch: asked.split('@')[1] ?? '',
              boxMs: 1,
              elapsedMs: () => 0,
            });
          })
          .immediate();
      } catch (error) {
        const again = takenBack(progress, error);
        if (again === null) throw error;
        progress = again;
        this.changelog.origins.forget();
      }
    }
  }

  private foldAll(): number {
    // Counts rest for a while after a slow one; a random history can't wait.
    this.changelog.countAgainMs.clear();
    for (let versions = 0; ;) {
      const result = foldBatch(this.changelog, { limit: 1_000, ...this.clocks });
      versions += result.versions;
      if (!result.more && this.enterEvicted() === 0) return versions;
    }
  }

  /** What the writer does between transactions, when the counts of a table do not add up. */
  private enterEvicted(): number {
    const gaps = this.database.prepare('SELECT table_name FROM _sync_backfill WHERE gap = 2').pluck().all();
    this.database.exec('UPDATE _sync_backfill SET gap = 0');
    return this.changelog.tables
      .filter((table) => gaps.includes(table.name))
      .map((table) => appendVanished(this.changelog, table, { after: 0, last: 1e9, at: this.nowMs }))
      .reduce((sum, found) => sum + found, 0);
  }

  get clocks() {
    return { nowMs: this.nowMs, maxSkewMs: 5_000, abortSkewMs: this.abortSkewMs };
  }

  page(
    since: string,
    limit: number,
    puller: string | null,
    start: Pick<PageQuery, 'member' | 'known' | 'full' | 'whole' | 'witness' | 'heard'> = {},
  ): string {
    return Buffer.from(this.builtPage(since, limit, puller, start).body).toString();
  }

  builtPage(
    since: string,
    limit: number,
    puller: string | null = null,
    start: Partial<PageQuery> = {},
  ): BuiltPage {
    return buildPage(this.changelog, { since, limit, puller, tables: null, nowMs: this.nowMs, ...start });
  }

  close(): void {
    this.app.close();
    this.database.close();
  }
}

/** What one replica has otherwise than the group. */
export interface ReplicaOptions {
  readonly tables?: readonly TableConfig[];
  /** Loaded. */
  readonly resolvers?: Resolvers;
}

/** A folder that makes replicas of one schema and removes them in the end. */
export class QuickGroup {
  private readonly folder = mkdtempSync(join(tmpdir(), 'quick-'));
  private readonly template = join(this.folder, 'template.db');
  private readonly replicas: QuickReplica[] = [];
  private newFiles = 0;
  nowMs = Date.now();

  constructor(
    schema: string,
    private readonly tables: readonly TableConfig[],
  ) {
    const database = openFast(this.template);
    database.exec(schema);
    const replicatedTables = replicated(database, tables);
    runStatements(database, () =>
      planMigration(database, {
        node: 'template',
        keyColumns: Math.max(...replicatedTables.map((table) => table.key.length)),
        triggers: replicatedTables.flatMap(triggersOf),
        guard: [],
        journalModeBefore: null,
        nowMs: 0,
      }),
    );
    database.close();
  }

  /** Makes a replica; `alter` is SQL that its database alone has seen. */
  add(node: string, alter = '', options: ReplicaOptions = {}): QuickReplica {
    const file = join(this.folder, `${node}-${this.replicas.length}.db`);
    copyFileSync(this.template, file);
    const altered = openFast(file);
    altered.exec(alter);
    altered.close();
    const replica = this.open(node, file, options);
    // The template is no replica that it was copied from.
    replica.app.exec('UPDATE _sync_replica SET renewed = 0');
    return replica;
  }

  /** Opens a replica's file again, its schema as it is now. */
  reopen(replica: QuickReplica, options: ReplicaOptions = {}): QuickReplica {
    return this.open(replica.node, replica.app.name, options);
  }

  /** Starts a copy of a replica as it was when it was copied to `file`; under its own name, as a restored backup. */
  openCopy(node: string, file: string): QuickReplica {
    return this.open(node, file, {});
  }

  /** Puts a replica's whole disk back to what it was when it was copied to `file`, so that nothing beside it tells. */
  restoreDisk(replica: QuickReplica, file: string): QuickReplica {
    const restored = this.newFile();
    copyFileSync(file, restored);
    const database = openFast(restored);
    writeFileSync(markFileOf(restored), JSON.stringify(lastMarkOf(database)));
    database.close();
    return this.open(replica.node, restored, {});
  }

  /** A path for one more file. */
  newFile(): string {
    this.newFiles += 1;
    return join(this.folder, `copy-${this.newFiles}.db`);
  }

  private open(
    node: string,
    file: string,
    { tables = this.tables, resolvers }: ReplicaOptions,
  ): QuickReplica {
    const replica = new QuickReplica(node, file, tables, () => this.nowMs, resolvers);
    this.replicas.push(replica);
    return replica;
  }

  /** Closes all replicas; the group can make new ones. */
  clear(): void {
    for (const replica of this.replicas.splice(0)) replica.close();
  }

  remove(): void {
    this.clear();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
