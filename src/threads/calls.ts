/**
 * What the two database threads answer. Every connection of the daemon lives in one of them, so that a locked
 * or busy database never holds the event loop that serves HTTP. Arguments and results cross a thread border:
 * plain values and byte arrays only. A failed call rejects with a SyncError.
 */

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
}

export interface PageResponse {
  /** The page as UTF-8 JSON (docs/protocol.md). */
  readonly body: Uint8Array;
  /** Lower-case hex SHA-256 of `body`. */
  readonly sha256: string;
  readonly changes: number;
  readonly hasMore: boolean;
}

export interface ApplyRequest {
  /** The configured peer's name. */
  readonly peer: string;
  /** The cursor that the page was asked with; empty: from the start. */
  readonly since: string;
  readonly body: Uint8Array;
  /** Value of `x-page-sha256`. */
  readonly sha256: string;
}

export interface ApplyResponse {
  /** Changes in the page. */
  readonly received: number;
  /** Rows written or deleted here. */
  readonly applied: number;
  /** Changes that this replica had already, or that lost against what it has. */
  readonly skipped: number;
  readonly conflicts: number;
  readonly quarantined: number;
  readonly nextCursor: string;
  readonly hasMore: boolean;
  /** Entries that the peer's log holds after `nextCursor`, at most. */
  readonly behind: number;
  /** The peer's clock when it made the page, ms since 1970. */
  readonly serverTimeMs: number;
}

export interface FoldResponse {
  /** Raw entries read. */
  readonly entries: number;
  /** Versions made. */
  readonly versions: number;
}

export interface TableStatus {
  readonly name: string;
  /** Rows and tombstones with a version. */
  readonly versions: number;
}

/** What is stored about a peer. Times are ms since 1970. */
export interface PeerStatus {
  readonly name: string;
  readonly epoch: string | null;
  /** Where the next pull starts; empty: from the start. */
  readonly cursor: string;
  readonly behind: number | null;
  readonly lastAppliedMs: number | null;
  /** The newest log id of ours that this peer has acknowledged. */
  readonly acknowledged: number | null;
  readonly acknowledgedMs: number | null;
}

export interface LocalStatus {
  readonly node: string;
  readonly epoch: string;
  /** The newest log id. */
  readonly head: number;
  /** Raw entries that no fold has read yet. */
  readonly unfolded: number;
  readonly quarantined: number;
  readonly conflicts: number;
  /** Tables with rows that were never entered in the changelog: `backfill` was not run. */
  readonly backfillNeeded: readonly string[];
  readonly databaseBytes: number;
  readonly walBytes: number;
  readonly peers: readonly PeerStatus[];
}

export interface CheckpointResponse {
  /** True where a reader or writer kept it from finishing. */
  readonly busy: boolean;
  readonly walPages: number;
  readonly checkpointedPages: number;
  readonly walBytes: number;
}

/** The only thread that writes. Calls run one after the other. */
export interface WriterCalls {
  /** Folds what the app has written since; bounded batches. */
  fold(): Promise<FoldResponse>;
  /** Applies a page and moves the peer's cursor. Refused with `cursor_moved` where the stored cursor is not `since`. */
  apply(request: ApplyRequest): Promise<ApplyResponse>;
  /** Makes the next pull from this peer start over. */
  resetCursor(peer: string): Promise<void>;
  /** Notes that the peer has everything up to the cursor it asked with. */
  acknowledge(node: string, epoch: string | null, cursor: string): Promise<void>;
  checkpoint(mode: 'PASSIVE' | 'RESTART' | 'TRUNCATE'): Promise<CheckpointResponse>;
  /** `PRAGMA optimize`. */
  optimize(): Promise<void>;
  /** TRUNCATE checkpoint, then closes the connection and ends the thread. */
  close(): Promise<void>;
}

/** Reads beside the writer, on a read-only connection. */
export interface ReaderCalls {
  /** Rejects with `cursor_invalid` where the cursor is not of this log. */
  page(request: PageRequest): Promise<PageResponse>;
  status(): Promise<LocalStatus>;
  /** The cursor stored for a peer; empty: from the start. */
  cursorOf(peer: string): Promise<string>;
  /** Grows when another connection commits (`PRAGMA data_version`). */
  dataVersion(): Promise<number>;
  close(): Promise<void>;
}
