import type { Database } from 'better-sqlite3';
import { beginPage, cursorMoved, instanceRenewed } from '../apply/apply-page.js';
import { findMissing, requireNamed } from '../apply/named.js';
import { hasNews } from '../apply/learn.js';
import type { Conflict } from '../apply/conflict-list.js';
import { readHeld } from '../apply/held-list.js';
import { resolveConflict, type Resolve } from '../apply/resolve-conflict.js';
import { retain } from '../apply/retention.js';
import { retryAll, retryBatch, retryDue, type Retrying } from '../apply/retry-all.js';
import type { Retried } from '../apply/retry-held.js';
import { closeGap, type BackfillOptions, type Gap } from '../changelog/backfill.js';
import { readReplica, tableNamed, type Changelog } from '../changelog/changelog.js';
import { enterContradicted } from '../changelog/contradicted.js';
import { isFolded } from '../changelog/fold.js';
import { afterFold, type Folded, type FoldTally } from '../changelog/fold-all.js';
import { enterAgain, noteServed, returnedTables } from '../changelog/served.js';
import { meetPuller, tellOwn } from '../changelog/own-member.js';
import { storedCursor } from '../changelog/peers.js';
import { claimIdentity } from '../changelog/identity.js';
import { placeOf } from '../changelog/marks.js';
import type { Config } from '../config/config.js';
import { Resolvers } from '../config/resolvers.js';
import { checkTables } from '../database/check-tables.js';
import { requireMigrated } from '../database/migrate.js';
import { openForWriting, setJournalMode } from '../database/open.js';
import { checkpointWal, walBytesOf, type CheckpointMode } from '../database/wal.js';
import { statement } from '../sql/template.js';
import { unheard, type Heard, type Member } from '../wire/members.js';
import type {
  ApplyRequest,
  ApplyResponse,
  CheckpointResponse,
  FoldResponse,
  OpenResponse,
  Retained,
  SchemaChange,
  WriterCalls,
} from './calls.js';
import { ChangelogAtSchema } from '../changelog/changelog-at.js';
import { applyPages, type Applying } from './apply-pages.js';
import { toResponse } from './apply-response.js';
import { readFurther, readPage } from './read-page.js';
import { HandedCursors } from './handed-cursors.js';
import { InstanceWatch } from './instance-watch.js';
import { Transactions } from '../database/transactions.js';

/** Rows that one transaction compares at most. */
const BACKFILL_BATCH = 2_000;

/** The connection that writes, and what its thread answers. Calls run one after the other. */
export class Writer implements WriterCalls {
  private readonly database: Database;
  private readonly changelogAt: ChangelogAtSchema;
  private readonly transactions: Transactions;
  private readonly handed: HandedCursors;
  private readonly resolvers = new Resolvers();
  private readonly instance: InstanceWatch;
  private last: Promise<unknown> = Promise.resolve();
  private schemaChange: SchemaChange | null = null;
  private tally: FoldTally = NOTHING_FOLDED;
  /** The changelog whose tables were noted as served; null before the first time. */
  private servedBy: Changelog | null = null;
  /** The schema with which what is held was last tried again; null before the first time. */
  private retriedAtSchema: number | null = null;
  /** Changes whose time had come, since somebody asked last. */
  private dueApplied = 0;

  constructor(
    private readonly config: Config,
    /** The clock of this machine, ms since 1970. */
    private readonly now: () => number = Date.now,
  ) {
    this.database = openForWriting(config);
    this.changelogAt = new ChangelogAtSchema(this.database, config, this.resolvers);
    this.instance = new InstanceWatch(this.database, config.node.id, () => this.changelogAt.current());
    this.handed = new HandedCursors(this.database, now);
    this.transactions = new Transactions(this.database, config.database.busyTimeoutMs, () => {
      this.changelogAt.reset();
    });
  }

  open(): Promise<OpenResponse> {
    return this.inTurn(async () => {
      requireMigrated(this.database);
      if (this.config.database.wal) setJournalMode(this.database, 'wal');
      checkTables(this.config, this.database);
      await this.resolvers.load(this.config.tables);
      const renewal = await this.write(() => {
        const reason = claimIdentity(this.database, this.config.node.id);
        tellOwn(this.changelogAt.current(), Date.now());
        return reason;
      });
      return { renewal };
    });
  }

  fold(contradicted: readonly number[] = []): Promise<FoldResponse> {
    return this.inTurn(async () => {
      if (contradicted.length > 0)
        await this.write(() => {
          enterContradicted(this.changelogAt.current(), contradicted, Date.now());
        });
      const folded = await this.catchUp();
      const { schemaChange: schema } = this;
      this.schemaChange = null;
      return { ...folded, schema, renewal: this.instance.takeRenewal(), tally: this.takeTally() };
    });
  }

  apply(request: ApplyRequest): Promise<ApplyResponse> {
    return this.inTurn(async () => {
      const page = readPage(request, request);
      if (await this.renewIfRewound(page.your_cursor ?? '', page.your_instance ?? null))
        throw instanceRenewed(request.peer);
      const isEmpty = page.changes.length === 0 && page.named.length === 0;
      const nothingNew = isEmpty && page.next_cursor === request.since;
      if (nothingNew && !hasNews(this.changelogAt.current(), page, this.clock()))
        return toResponse([beginPage(page)], this.takeTally());
      // Committed apart: triggers that are put back move all cursors, this one too, and take the page back.
      await (this.isCaughtUp() ? this.makeUp() : this.catchUp());
      requireNamed(this.changelogAt.current(), request.peer, page.named);
      const { epoch } = readReplica(this.database);
      const pages = [{ since: request.since, page }, ...readFurther(request)] as const;
      const applied = await applyPages(this.applying(), request, [...pages]);
      if (applied.some(({ overclaimed }) => overclaimed)) {
        await this.renewFrom(epoch);
        throw instanceRenewed(request.peer);
      }
      const resolverFaults = this.resolvers.takeFaults();
      return { ...toResponse(applied, this.takeTally()), resolverFaults };
    });
  }

  resetCursor(peer: string): Promise<void> {
    return this.inWrite(() => {
      this.changelogAt.current().prepare(statement('peers/reset-cursor')).run({ name: peer });
    });
  }

  putBackCursor(peer: string, from: string, to: string): Promise<void> {
    return this.inWrite(() => {
      const changelog = this.changelogAt.current();
      if (storedCursor(changelog, peer) !== from) throw cursorMoved(peer);
      changelog.prepare(statement('peers/set-cursor')).run({ name: peer, cursor: to });
    });
  }

  rewound(cursor: string, heard: Heard | null = null): Promise<boolean> {
    return this.inTurn(() => this.renewIfRewound(cursor, heard));
  }

  acknowledge(
    node: string,
    epoch: string | null,
    cursor: string,
    member: Member | null = null,
  ): Promise<void> {
    return this.inWrite(() => {
      const { epoch: ours } = readReplica(this.database);
      const acknowledged = placeOf(this.database, ours, cursor);
      const bound = { name: node, epoch, acknowledged, nowMs: Date.now() };
      const changelog = this.changelogAt.current();
      changelog.prepare(statement('peers/acknowledge')).run(bound);
      if (epoch === null) return;
      const { overclaimed } = meetPuller(changelog, member ?? unheard(node, epoch), bound.nowMs);
      if (overclaimed) this.instance.believe(ours);
    }).then(() => {
      this.handed.acknowledged(node, cursor);
    });
  }

  handOut(node: string, since: string, next: string): Promise<void> {
    // Not in turn: what is under way may make the log so long that the mark is dropped.
    return Promise.resolve().then(() => {
      this.handed.note(node, since, next);
    });
  }

  retryDue(): Promise<number> {
    return this.inTurn(async () => {
      const applied = this.dueApplied + (await retryDue(this.retrying()));
      this.dueApplied = 0;
      return applied;
    });
  }

  resolve(id: number, choice: Resolve): Promise<Conflict> {
    return this.inTurn(async () => {
      const work = () => resolveConflict(this.changelogAt.current(), id, choice, this.clock());
      return (await this.afterFold(work)).result;
    });
  }

  retry(id: number): Promise<Retried> {
    return this.inTurn(async () => {
      const [retried] = await retryBatch(this.retrying(), [readHeld(this.database, id)], true);
      if (retried === undefined) throw new TypeError(`Expected an outcome of held change ${id}`);
      return retried;
    });
  }

  prune(): Promise<Retained> {
    return this.inTurn(() =>
      retain({
        changelog: () => this.changelogAt.current(),
        inWrite: async (work) => (await this.afterFold(work)).result,
        config: this.config,
        nowMs: Date.now(),
      }),
    );
  }

  checkpoint(mode: CheckpointMode): Promise<CheckpointResponse> {
    return this.inTurn(() => Promise.resolve(this.runCheckpoint(mode)));
  }

  optimize(): Promise<void> {
    return this.inTurn(() => Promise.resolve(void this.database.pragma('optimize')));
  }

  async close(): Promise<void> {
    this.transactions.stop();
    await this.last;
    this.runCheckpoint('TRUNCATE');
    this.database.close();
    this.instance.writeMark();
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work);
    // The next call runs whatever became of this one, whose own caller is told by `result`.
    this.last = result.then(nothing, nothing);
    return result;
  }

  /** Runs work in a write transaction, once what a change of the schema made necessary is done. */
  private async write<T>(work: () => T, isPressed = false): Promise<T> {
    const { result, schema } = await this.transactions.run(() => {
      const schema = this.changelogAt.repair();
      this.instance.renewReplaced();
      this.noteServed();
      this.handed.save();
      const result = work();
      return { schema, result };
    }, isPressed);
    this.instance.committed();
    this.handed.committed();
    if (schema !== null) this.schemaChange = merged(this.schemaChange, schema);
    return result;
  }

  private noteServed(): void {
    const changelog = this.changelogAt.current();
    if (this.servedBy === changelog) return;
    noteServed(changelog);
    // A rollback opens another one.
    this.servedBy = changelog;
  }

  /** Takes a peer's word for it that this log was rewound. */
  private async renewIfRewound(cursor: string, heard: Heard | null): Promise<boolean> {
    if (!this.instance.isEvidence(cursor, heard)) return false;
    await this.renewFrom(readReplica(this.database).epoch, heard);
    return true;
  }

  private renewFrom(epoch: string, heard: Heard | null = null): Promise<void> {
    return this.write(() => {
      this.instance.believe(epoch, heard);
    });
  }

  private inWrite<T>(work: () => T): Promise<T> {
    return this.inTurn(() => this.write(work));
  }

  private afterFold<T>(work: () => T): Promise<{ folded: Folded; result: T }> {
    const run = <R>(inside: () => R, isPressed: boolean): Promise<R> => this.write(inside, isPressed);
    const changelog = (): Changelog => this.changelogAt.current();
    const boxMs = () => this.transactions.boxMs;
    return afterFold({ run, changelog, clock: () => this.clock(), boxMs, onBatch: this.onBatch }, work);
  }

  private readonly onBatch = ({ entries, versions }: FoldTally): void => {
    this.tally = { entries: this.tally.entries + entries, versions: this.tally.versions + versions };
  };

  private takeTally(): FoldTally {
    const { tally } = this;
    this.tally = NOTHING_FOLDED;
    return tally;
  }

  /** Knows afterwards all that the app has written, also while triggers were missing. */
  private async catchUp(): Promise<Folded> {
    const { folded } = await this.afterFold(() => null);
    await this.makeUp();
    return folded;
  }

  /** Whether a transaction that folds would have nothing to do; what comes until the next one begins, that one folds. */
  private isCaughtUp(): boolean {
    return (
      this.changelogAt.isRepaired() && !this.instance.isReplaced() && isFolded(this.changelogAt.current())
    );
  }

  /** Does what cannot be done while folding. */
  private async makeUp(): Promise<void> {
    await this.closeGaps();
    await this.bringBack();
    await this.retryAtNewSchema();
    this.dueApplied += await retryDue(this.retrying());
  }

  /** Another schema may take what this one could not. */
  private async retryAtNewSchema(): Promise<void> {
    if (this.retriedAtSchema === this.schemaVersion()) return;
    await retryAll(this.retrying());
    this.retriedAtSchema = this.schemaVersion();
  }

  private retrying(): Retrying {
    return {
      changelog: () => this.changelogAt.current(),
      clock: () => this.clock(),
      inWrite: async (work) => (await this.afterFold(work)).result,
    };
  }

  private schemaVersion(): number {
    return this.database.pragma('schema_version', { simple: true }) as number;
  }

  /** Looks at the tables that lacked their triggers for a while, or lost rows that no trigger saw. */
  private async closeGaps(): Promise<void> {
    const sql = statement('backfill/gaps');
    const found = this.changelogAt.current().prepare(sql).all() as (Gap & { readonly name: string })[];
    for (const { name, ...gap } of found) {
      const changelog = this.changelogAt.current();
      const table = tableNamed(changelog, name);
      if (table === undefined) continue;
      await closeGap(changelog, this.transactions, table, { ...this.backfillOptions(), ...gap });
    }
  }

  /** What peers were not served of a table while it was away, they are now. */
  private async bringBack(): Promise<void> {
    const changelog = () => this.changelogAt.current();
    const write = (work: () => void) => this.write(work);
    for (const table of returnedTables(changelog())) {
      await enterAgain(table, BACKFILL_BATCH, { changelog, write });
    }
  }

  private backfillOptions(): BackfillOptions {
    return {
      batchRows: BACKFILL_BATCH,
      maxSkewMs: this.config.clock.maxSkewMs,
      now: () => Date.now(),
      onProgress: nothing,
      onBatch: this.onBatch,
    };
  }

  private applying(): Applying {
    const changelog = () => this.changelogAt.current();
    return {
      changelog,
      clock: () => this.clock(),
      boxMs: () => this.transactions.boxMs,
      afterFold: async (work) => (await this.afterFold(work)).result,
      mayFollow: (page) =>
        !this.instance.isEvidence(page.your_cursor ?? '', page.your_instance ?? null) &&
        findMissing(changelog(), page.named) === null,
    };
  }

  private clock() {
    const { maxSkewMs, abortSkewMs } = this.config.clock;
    return { nowMs: this.now(), maxSkewMs, abortSkewMs };
  }

  private runCheckpoint(mode: CheckpointMode): CheckpointResponse {
    const { busy, log, checkpointed } = checkpointWal(this.database, mode);
    return {
      busy: busy === 1,
      walPages: log,
      checkpointedPages: checkpointed,
      walBytes: walBytesOf(this.database.name),
    };
  }
}

function merged(before: SchemaChange | null, after: SchemaChange): SchemaChange {
  return {
    recaptured: [...new Set([...(before?.recaptured ?? []), ...after.recaptured])],
    faults: after.faults,
  };
}

function nothing(): void {
  // For a listener that has nothing to do.
}

const NOTHING_FOLDED: FoldTally = { entries: 0, versions: 0 };
