import type { Database } from 'better-sqlite3';
import type { Changelog } from '../changelog/changelog.js';
import { isRewound, looksRewound, renew, renewIfRewound, type Renewal } from '../changelog/identity.js';
import { keepMark, type LastMark } from '../changelog/mark-file.js';
import { tellOwn } from '../changelog/own-member.js';

/** A peer that shows cursors which this log never had may do so by mistake: each renewal compares everything again. */
const RENEWAL_PAUSE_MS = 60 * 60 * 1000;

/** Sees to it that a database that was restored while it is open goes on as a new instance. */
export class InstanceWatch {
  private renewal: Renewal | null = null;
  /** What the mark file says; null before it was written. */
  private lastMark: LastMark | null = null;
  /** When a peer's word last renewed this instance, on the clock of `performance`. */
  private renewedByPeerMs = -Infinity;

  constructor(
    private readonly database: Database,
    private readonly node: string,
    private readonly changelog: () => Changelog,
  ) {}

  /** Why this became a new instance, until that was asked for. */
  takeRenewal(): Renewal | null {
    const { renewal } = this;
    this.renewal = null;
    return renewal;
  }

  /** A backup may be restored into the file that is open. Call in a write transaction, before anything is folded. */
  renewRewound(): void {
    if (this.lastMark === null || !isRewound(this.database, this.lastMark)) return;
    renew(this.database, this.node);
    this.renewed();
  }

  /** Whether a peer's cursor is reason to call `believe`. */
  isEvidence(cursor: string): boolean {
    const pausedMs = performance.now() - this.renewedByPeerMs;
    return cursor !== '' && pausedMs >= RENEWAL_PAUSE_MS && looksRewound(this.database, cursor);
  }

  /** Takes a peer's word for it that this log was rewound; true where it was. Call in a write transaction. */
  believe(cursor: string): boolean {
    if (!renewIfRewound(this.database, cursor)) return false;
    this.renewedByPeerMs = performance.now();
    this.renewed();
    return true;
  }

  /** Call after each commit. */
  committed(): void {
    this.lastMark = keepMark(this.database, this.lastMark);
  }

  private renewed(): void {
    this.renewal = 'rewound';
    tellOwn(this.changelog(), Date.now());
  }
}
