import type { Database } from 'better-sqlite3';
import { readReplica, type Changelog } from '../changelog/changelog.js';
import {
  isOutdated,
  isReplaced,
  looksRewound,
  renew,
  renewRewound,
  type Renewal,
} from '../changelog/identity.js';
import { lastMarkOf, writeMarkFile, type LastMark } from '../changelog/mark-file.js';
import { tellOwn } from '../changelog/own-member.js';
import { SyncError } from '../errors.js';
import type { Heard } from '../wire/members.js';

/** A peer that shows what this log never had may do so by mistake, and each renewal compares everything again. */
const RENEWAL_PAUSE_MS = 10 * 60 * 1000;

/** Sees to it that a database that was restored while it is open goes on as a new instance. */
export class InstanceWatch {
  private renewal: Renewal | null = null;
  /** What the mark file says, or is to say; null before the first commit. */
  private lastMark: LastMark | null = null;
  private isWritten = true;
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

  /**
   * A backup may be restored into the file that is open. Call in a write transaction, before anything is folded. Throws
   * `mark_file` where the mark of the commit before could not be written.
   */
  renewReplaced(): void {
    this.writeMark();
    if (!this.isReplaced()) return;
    renew(this.database, this.node);
    this.renewed();
  }

  /** Whether this file has become another one, as a restored backup. */
  isReplaced(): boolean {
    return this.lastMark !== null && isReplaced(this.database, this.lastMark);
  }

  /** Whether a peer's cursor, or the instance of this node that it last heard of, tells that this log was rewound. */
  isEvidence(cursor: string, heard: Heard | null): boolean {
    return looksRewound(this.database, cursor) || isOutdated(this.database, heard);
  }

  /**
   * Takes a peer's word for it that the log of `epoch` was rewound. Call in a write transaction. Throws `restored_again`
   * where a peer's word has renewed this instance a short while ago.
   */
  believe(epoch: string, heard: Heard | null = null): void {
    // Meanwhile it may have become another instance by itself.
    if (readReplica(this.database).epoch !== epoch) return;
    const restMs = this.renewedByPeerMs + RENEWAL_PAUSE_MS - performance.now();
    if (restMs > 0) throw restoredAgain(restMs);
    renewRewound(this.database, heard?.born_ms);
    this.renewedByPeerMs = performance.now();
    this.renewed();
  }

  /**
   * Call after each commit. Replacing a file takes longer than a small transaction: whoever waits for the commit has its
   * answer first.
   */
  committed(): void {
    const known = this.lastMark;
    const last = lastMarkOf(this.database);
    if (known !== null && known.mark === last.mark && known.epoch === last.epoch) return;
    this.lastMark = last;
    if (this.isWritten)
      setImmediate(() => {
        this.tryToWrite();
      });
    this.isWritten = false;
  }

  /** Writes the mark file where it is not written yet. Throws `mark_file`. */
  writeMark(): void {
    if (this.isWritten || this.lastMark === null) return;
    writeMarkFile(this.database.name, this.lastMark);
    this.isWritten = true;
  }

  private tryToWrite(): void {
    try {
      this.writeMark();
    } catch (error) {
      // The next transaction tries it again, and fails by it.
      if (!(error instanceof SyncError)) throw error;
    }
  }

  private renewed(): void {
    this.renewal = 'rewound';
    tellOwn(this.changelog(), Date.now());
  }
}

function restoredAgain(restMs: number): SyncError {
  const minutes = Math.ceil(restMs / 60_000);
  return new SyncError(
    'restored_again',
    'By what a peer has of it, the changelog of this replica was rewound, for the second time in a short while.',
    {
      hint: `It is believed in ${minutes} min, and until then nothing moves between the two; restart the replica to have it believed at once.`,
    },
  );
}
