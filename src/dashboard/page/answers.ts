/*
 * What the page reads of the daemon's answers (docs/protocol.md). The page is compiled apart from the daemon, whose types
 * a test compares with these. Times are ms since 1970 by the daemon's clock; null: not known (yet).
 */

export interface PeerAnswer {
  readonly name: string;
  /** Null: none is configured. */
  readonly address: string | null;
  /** Null: it pulls from this replica, and is not configured here. */
  readonly direction: 'pull' | 'both' | null;
  /** Where discovery has found it, if not at its address. */
  readonly found_at: string | null;
  readonly behind: number | null;
  readonly last_applied_ms: number | null;
  /** The newest log id of this replica that it has acknowledged. */
  readonly acknowledged: number | null;
  readonly acknowledged_ms: number | null;
  readonly pull: PullAnswer | null;
}

export interface PullAnswer {
  readonly phase: 'waiting' | 'pulling' | 'stopped';
  readonly lost: boolean;
  readonly failing: boolean;
  readonly breaker: 'closed' | 'open' | 'half_open';
  readonly last_success_ms: number | null;
  readonly last_error: {
    readonly message: string;
    readonly hint: string | null;
    readonly at_ms: number;
  } | null;
  readonly skew_ms: number | null;
}

export interface StatusAnswer {
  readonly node: string;
  readonly name: string;
  readonly version: string;
  readonly listen: string | null;
  readonly time_ms: number;
  readonly head: number;
  readonly unfolded: number;
  readonly quarantined: number;
  readonly conflicts: number;
  readonly backfill_needed: readonly string[];
  readonly dangling_references: readonly { readonly table: string; readonly rows: number }[];
  readonly database_bytes: number;
  readonly wal_bytes: number;
  readonly disk_free_bytes: number | null;
  readonly disk_low: boolean;
  /** Absent where the daemon makes no backups. */
  readonly backup?: BackupAnswer;
  readonly peers: readonly PeerAnswer[];
  readonly members: readonly { readonly node: string; readonly via: 'direct' | 'others' }[];
}

export interface BackupAnswer {
  readonly last: { readonly at_ms: number; readonly bytes: number } | null;
  readonly running: boolean;
  readonly last_error: { readonly message: string } | null;
}

export interface TableAnswer {
  readonly name: string;
  /** Null: the table is missing, or does not fit now. */
  readonly rows: number | null;
  readonly more: boolean;
  readonly unfolded: number;
  readonly quarantined: number;
  readonly conflicts: number;
}

/** A value as it travels: plain, or a tagged object for what JSON can't carry. */
export type ValueAnswer =
  | null
  | number
  | string
  | { readonly $int: string }
  | { readonly $real: string }
  | { readonly $blob: string }
  | { readonly $text: string };

export type RecordAnswer = Readonly<Record<string, ValueAnswer>>;

export interface TailEntryAnswer {
  readonly seq: number;
  readonly table: string;
  readonly operation: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly key: readonly ValueAnswer[] | null;
  readonly time_ms: number | null;
  readonly origin: string | null;
}

export interface SideAnswer {
  readonly won: boolean;
  readonly stamp: number;
  readonly origin: string;
  /** Null: deleted. */
  readonly record: RecordAnswer | null;
}

export interface ConflictAnswer {
  readonly id: number;
  readonly table: string;
  readonly key: readonly ValueAnswer[];
  readonly kind: 'row' | 'unique';
  readonly decided_by: string;
  readonly found_ms: number;
  readonly copy_of: number | null;
  readonly local: SideAnswer;
  readonly remote: SideAnswer;
}

export interface ConflictsAnswer {
  readonly conflicts: readonly ConflictAnswer[];
  readonly total: number;
}

export interface HeldAnswer {
  readonly id: number;
  readonly table: string;
  readonly key: readonly ValueAnswer[];
  readonly peer: string;
  readonly reason: string;
  readonly since_ms: number;
  readonly change: { readonly operation: string; readonly record?: RecordAnswer | null };
}

export interface QuarantineAnswer {
  readonly quarantine: readonly HeldAnswer[];
  readonly total: number;
}

export interface SecondAnswer {
  readonly at_s: number;
  readonly captured: number;
  readonly applied: number;
  readonly served: number;
  readonly latency: { readonly mean_ms: number; readonly most_ms: number | null } | null;
}

export interface ActivityAnswer {
  readonly now_s: number;
  readonly seconds: readonly SecondAnswer[];
}
