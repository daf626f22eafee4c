/*
 * What the database threads answer. Every connection of the daemon lives in one of them, so that a locked
 * or busy database never holds the event loop that serves HTTP. Arguments and results cross a thread border:
 * plain values and byte arrays only. A failed call rejects with a SyncError.
 */

import type { Latencies } from '../apply/latency.js';
import type { Conflict, ConflictList } from '../apply/conflict-list.js';
import type { HeldList } from '../apply/held-list.js';
import type { Resolve } from '../apply/resolve-conflict.js';
import type { Retried } from '../apply/retry-held.js';
import type { ChangelogTail } from '../changelog/tail.js';
import type { DanglingReference } from '../changelog/dangling.js';
import type { ResolverFault } from '../config/resolvers.js';
import type { CheckpointMode } from '../database/wal.js';
import type { Instance } from '../wire/instance.js';
import type { FoldTally } from '../changelog/fold-all.js';
import type { Renewal } from '../changelog/identity.js';
import type { StoredPeer, StoredStatus } from '../changelog/local-status.js';
import type { PullStart } from '../apply/pull-start.js';
import type { Retained } from '../apply/retention.js';
import type { News } from '../changelog/news.js';
import type { BackupMade } from '../backup/make-backup.js';
import type { BuiltSnapshot } from '../snapshot/build.js';
import type { Heard, Member } from '../wire/members.js';

import type { TableShape, WireListed, WireState } from '../wire/fingerprints.js';
import type { StatesRequest, StretchRequest, StretchResponse } from './fingerprints.js';
import type { TableReport } from './table-watch.js';
import type { SchemaChange } from '../changelog/changelog-at.js';

export type {
  BackupMade,
  BuiltSnapshot,
  FoldTally,
  Latencies,
  PullStart,
  Renewal,
  Retained,
  SchemaChange,
  StoredPeer as PeerStatus,
  StoredStatus as LocalStatus,
};
export type { StatesRequest, StretchRequest, StretchResponse };

/** A parsed `GET /sync/changes`. */
export interface PageRequest {
  /** Empty: from the start. */
  readonly since: string;
  readonly limit: number;
  /** The puller's node id and epoch; null where it did not say: then nothing is left out and nothing acknowledged. */
  readonly node: string | null;
  readonly epoch: string | null;
  /** Null: all replicated tables. */
  readonly tables: readonly string[] | null;
  /** What the puller says of itself. */
  readonly member?: Member | null;
  /** `membersHash` of what it was last told. */
  readonly known?: string | null;
  /** Nothing is left out for what the puller claims. */
  readonly full?: boolean;
  /** Nothing travels as its name alone. */
  readonly whole?: boolean;
  /** A cursor that the puller, which compares everything once more, had before. */
  readonly witness?: string | null;
  /** The instance of this node that the puller last heard of. */
  readonly heard?: Heard | null;
}

/** A `GET /sync/changes` with `peek`: whether there is anything. */
export interface NewsRequest extends PageRequest {
  /** Up to this log id there was nothing when it was last looked; 0: never looked. */
  readonly seen: number;
  /** The page is to come along where it holds only what was authored here, and is short. */
  readonly own: boolean;
}

export interface NewsResponse extends Omit<News, 'page'> {
  readonly page: PageResponse | null;
}

export interface PageResponse {
  /** The page as UTF-8 JSON (docs/protocol.md). */
  readonly body: Uint8Array;
  /** Lower-case hex SHA-256 of `body`. */
  readonly sha256: string;
  readonly changes: number;
  readonly hasMore: boolean;
  readonly nextCursor: string;
  /** It ends before a row that waits for the fold. */
  readonly waitsForFold: boolean;
  /** The log id up to which everything was folded. */
  readonly folded: number;
  /** Log ids of versions that it ends before, since their rows are there where they should not be, or not where they should. */
  readonly contradicted: readonly number[];
}

/** A page as it came. */
export interface SentPage {
  /** The cursor that it was asked with; empty: from the start. */
  readonly since: string;
  readonly body: Uint8Array;
  /** Value of `x-page-sha256`. */
  readonly sha256: string;
}

/** What an old page may not do that a new one may. */
export interface PagesOfFile {
  /** Lower-case hex SHA-256 of the file. */
  readonly sha256: string;
  /** Whether its last page shows that this replica has everything of its log: all of it was read in the order of time. */
  readonly claims: boolean;
  /** Whether something was pruned here that its sender may not have heard of when it made the file. */
  readonly stale: boolean;
}

export interface ApplyRequest extends SentPage {
  /** The configured peer's name. */
  readonly peer: string;
  /** Our epoch that the page was asked with: what that instance authored is not in it. Null: nothing was left out. */
  readonly epoch: string | null;
  /** Our newest pruned log id when the page was asked for. */
  readonly pruned?: number;
  /** Where the pages were read from a file: what follows from that. */
  readonly file?: PagesOfFile;
  /** How far clocks are ahead of ours in ms, by node id, where that is known. */
  readonly skewsMs?: Readonly<Record<string, number>>;
  /** Pages that lead on from this one; as many of them are applied with it as can be. */
  readonly further?: readonly SentPage[];
}

/** What became of the page, and of those after it that were applied with it. */
export interface ApplyResponse {
  /** How many pages were applied. */
  readonly pages: number;
  /** Changes in them. */
  readonly received: number;
  /** Versions that they only name, since we should have them. */
  readonly named: number;
  /** Rows written or deleted here. */
  readonly applied: number;
  /** Changes that this replica had already, or that lost against what it has. */
  readonly skipped: number;
  readonly conflicts: number;
  readonly quarantined: number;
  /** Rows that the peer can't send since they are too large, e.g. `words ["a"]`. */
  readonly oversized: readonly string[];
  /** Why a table's resolver did not decide; once a table. Its conflicts wait in the ledger. */
  readonly resolverFaults: readonly ResolverFault[];
  readonly nextCursor: string;
  readonly hasMore: boolean;
  /** Entries that the peer's log holds after `nextCursor`, at most. */
  readonly behind: number;
  /** The peer's clock when it made the page, ms since 1970. */
  readonly serverTimeMs: number;
  /** How long the applied changes were on their way. */
  readonly latencies: Latencies;
  /** What this thread has folded since an answer last told of it. */
  readonly tally: FoldTally;
}

export interface FoldResponse {
  /** Raw entries read. */
  readonly entries: number;
  /** Versions made. */
  readonly versions: number;
  /** Tables in which rows with NULL in their key were written and left out. */
  readonly keyless: readonly string[];
  /** What changes of the schema since the last fold made necessary; null where there were none. */
  readonly schema: SchemaChange | null;
  /** Why this became a new instance since the last fold; null where it did not. */
  readonly renewal: Renewal | null;
  /** What this thread has folded since an answer last told of it: by this call, and before changes were applied or pruned. */
  readonly tally: FoldTally;
}

export interface OpenResponse {
  /** Why the file became a new instance; null where it is what this replica left. */
  readonly renewal: Renewal | null;
}

export interface CheckpointResponse {
  /** True where a reader or writer kept it from finishing. */
  readonly busy: boolean;
  readonly walPages: number;
  readonly checkpointedPages: number;
  readonly walBytes: number;
}

/** The thread that writes; beside it only a snapshot folds. Calls run one after the other. */
export interface WriterCalls {
  /** Opens the database; every other call comes after it. */
  open(): Promise<OpenResponse>;
  /** Folds what the app has written since, and the rows of versions that they contradict, by log id; bounded batches. */
  fold(contradicted?: readonly number[]): Promise<FoldResponse>;
  /**
   * Applies a page and moves the peer's cursor. Refused with `cursor_moved` where the stored cursor is not `since`, with
   * `instance_renewed` where this is another instance than asked, or the page proves that this log was rewound: then ask
   * again as the instance that it is now. `restored_again` where a page proved that a short while ago too.
   */
  apply(request: ApplyRequest): Promise<ApplyResponse>;
  /** Makes the next pull from this peer start over. */
  resetCursor(peer: string): Promise<void>;
  /** Puts a peer's cursor back to one that this replica had; refused with `cursor_moved` where it is not `from`. */
  putBackCursor(peer: string, from: string, to: string): Promise<void>;
  /**
   * Becomes a new instance where a peer's cursor proves that this log was rewound, or the instance of this node that it
   * last heard of came after this one; true where it did. Rejects with `restored_again` where a peer proved that a short
   * while ago too.
   */
  rewound(cursor: string, heard?: Heard | null): Promise<boolean>;
  /**
   * Notes that the peer has everything up to the cursor it asked with, and what it says of itself. Where it claims
   * of our log what that never had, or has no more, the log was rewound, and this becomes a new instance.
   */
  acknowledge(node: string, epoch: string | null, cursor: string, member?: Member | null): Promise<void>;
  /** Remembers that a puller, which asked with `since`, was given `next`, which it may store and not come back with. */
  handOut(node: string, since: string, next: string): Promise<void>;
  /** Applies held changes that were stamped too far ahead and whose time has come; how many were, since the last call. */
  retryDue(): Promise<number>;
  /** Resolves a conflict of the ledger by a new change. Rejects with `conflict_unknown`, `conflict_settled` and what else keeps it open. */
  resolve(id: number, choice: Resolve): Promise<Conflict>;
  /** Tries a held change again, also one that only a person may apply. Rejects with `held_unknown`. */
  retry(id: number): Promise<Retried>;
  /** Deletes rows that were soft-deleted long ago, and drops the tombstones that every member has. */
  prune(): Promise<Retained>;
  checkpoint(mode: CheckpointMode): Promise<CheckpointResponse>;
  /** `PRAGMA optimize`. */
  optimize(): Promise<void>;
  /** TRUNCATE checkpoint, then closes the connection and ends the thread. */
  close(): Promise<void>;
}

/** Reads beside the writer, on a read-only connection. */
export interface ReaderCalls {
  /** Opens the database; every other call comes after it. */
  open(): Promise<void>;
  /** Rejects with `cursor_invalid` where the cursor is not of this log, `log_rewound` where it once was. */
  page(request: PageRequest): Promise<PageResponse>;
  /** Whether there is a page to ask for, or the page itself. */
  news(request: NewsRequest): Promise<NewsResponse>;
  status(): Promise<StoredStatus>;
  /** Who this replica is now. */
  identity(): Promise<Instance>;
  /** The newest conflicts that are open, as many as a page may hold. */
  conflicts(limit?: number): Promise<ConflictList>;
  /** The oldest changes in quarantine, as many as a page may hold. */
  held(limit: number): Promise<HeldList>;
  /** The newest entries of the changelog. */
  changelogTail(limit: number): Promise<ChangelogTail>;
  /** The configured tables with their rows, counted now and then, and what waits in them. */
  tables(): Promise<readonly TableReport[]>;
  /** References that lead nowhere, as they were when last looked for: at most a small share of the time goes into that. */
  danglingReferences(): Promise<readonly DanglingReference[]>;
  /** Where the next pull from a peer starts, and what it says of us. */
  pullStart(peer: string): Promise<PullStart>;
  tableShapes(): Promise<readonly TableShape[]>;
  /** What stands for the rows of a range of keys as they are now. Rejects with `bad_query`, as the next two do. */
  stretch(request: StretchRequest): Promise<StretchResponse>;
  /** Those rows one by one. */
  list(request: StretchRequest): Promise<readonly WireListed[]>;
  /** How rows stand, by their keys. */
  states(request: StatesRequest): Promise<readonly WireState[]>;
  /** Grows when another connection commits (`PRAGMA data_version`). */
  dataVersion(): Promise<number>;
  close(): Promise<void>;
}

/** Writes snapshots beside both, on connections of its own; a thread lives for one. */
export interface SnapshotCalls {
  build(file: string): Promise<BuiltSnapshot>;
}

/** Writes backups beside all of them; a thread lives for one. */
export interface BackupCalls {
  make(file: string): Promise<BackupMade>;
}
