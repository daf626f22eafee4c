import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Config } from '../config/config.js';
import { SyncError } from '../errors.js';
import type { HeldSnapshot, Snapshots } from '../feed/snapshots.js';
import type { BuiltSnapshot } from '../threads/calls.js';
import type { SnapshotInProgress } from '../threads/snapshot-builder.js';

export interface SnapshotKeeper extends Snapshots {
  /** Ends what is being written, and removes the file. */
  close(): Promise<void>;
}

export interface SnapshotParts {
  readonly config: Config;
  /** Begins to write a snapshot to a file. */
  build(file: string): SnapshotInProgress;
  /** Enters what the application has written in the versions; logs its own failure. */
  fold(): Promise<unknown>;
  /** Rejects where the disk has no room. */
  admit(): Promise<void>;
  /** Default: the times below. */
  readonly times?: Partial<typeof TIMES_MS>;
}

const TIMES_MS = {
  /** A request waits so long for a snapshot that is being written; then it is to ask again. */
  wait: 10_000,
  /** A snapshot that nobody fetches stays so long: who was interrupted goes on. */
  keep: 5 * 60_000,
  /** Who asks while another one is fetched is given the same, unless it is older. */
  share: 60_000,
};

interface Kept extends BuiltSnapshot {
  readonly id: string;
  readonly madeMs: number;
  users: number;
  /** False until somebody has begun to fetch it. */
  taken: boolean;
  timer: NodeJS.Timeout | null;
}

/** The path of the one snapshot that is there at a time. */
export function snapshotFileOf(databasePath: string): string {
  return `${databasePath}-sync-snapshot`;
}

/** Makes snapshots for those who ask, one at a time, and removes them when nobody needs them any more. */
export function keepSnapshots({ config, times = {}, ...parts }: SnapshotParts): SnapshotKeeper {
  const { wait, keep, share } = { ...TIMES_MS, ...times };
  const file = snapshotFileOf(config.database.path);
  let kept: Kept | null = null;
  let building: Promise<Kept> | null = null;
  let inProgress: SnapshotInProgress | null = null;
  let failure: Error | null = null;
  let closed = false;
  // A crash may have left one.
  rmSync(file, { force: true });

  function discard(): void {
    if (kept?.timer != null) clearTimeout(kept.timer);
    kept = null;
    rmSync(file, { force: true });
  }

  function discardLater(snapshot: Kept): void {
    snapshot.timer = setTimeout(discard, keep).unref();
  }

  async function build(): Promise<Kept> {
    await parts.admit();
    await parts.fold();
    if (closed) throw new SyncError('stopping', 'The replica is stopping.');
    inProgress = parts.build(file);
    const built = await inProgress.built.finally(() => {
      inProgress = null;
    });
    const id = randomBytes(12).toString('hex');
    const snapshot = { ...built, id, madeMs: performance.now(), users: 0, taken: false, timer: null };
    kept = snapshot;
    discardLater(snapshot);
    // What the snapshot has folded is news to the feed.
    void parts.fold();
    return snapshot;
  }

  async function begin(): Promise<Kept> {
    discard();
    building = build().finally(() => {
      building = null;
    });
    return soon(building);
  }

  /** Whoever asks again is told what became of it after this was given up. */
  async function soon(work: Promise<Kept>): Promise<Kept> {
    failure = null;
    const made = await inTime(work, wait);
    if (made !== null) return made;
    work.catch((error: unknown) => {
      failure = error instanceof Error ? error : new Error(String(error));
    });
    throw new SyncError('snapshot_building', 'the snapshot is being made', {
      hint: 'Ask again in a moment; clone does so by itself.',
    });
  }

  function takeFailure(): Error | null {
    const taken = failure;
    failure = null;
    return taken;
  }

  function hold(snapshot: Kept): HeldSnapshot {
    if (snapshot.timer !== null) clearTimeout(snapshot.timer);
    snapshot.users += 1;
    snapshot.taken = true;
    const { id, bytes, sha256 } = snapshot;
    const release = (): void => {
      snapshot.users -= 1;
      if (snapshot.users === 0 && kept === snapshot) discardLater(snapshot);
    };
    return { id, file, bytes, sha256, release };
  }

  /** What is there, where it may be served to who asks for a new one. */
  function present(): Kept | null {
    if (kept === null) return null;
    if (!kept.taken || (kept.users > 0 && performance.now() - kept.madeMs < share)) return kept;
    if (kept.users === 0) return null;
    throw new SyncError('snapshot_busy', 'an older snapshot is being fetched, and there is one at a time', {
      hint: 'Ask again in a moment; clone does so by itself.',
    });
  }

  return {
    async hold(id) {
      if (kept !== null && kept.id === id) return hold(kept);
      if (building !== null) return hold(await soon(building));
      const failed = takeFailure();
      if (failed !== null) throw failed;
      return hold(present() ?? (await begin()));
    },
    async close() {
      closed = true;
      await inProgress?.stop();
      await building?.catch(() => undefined);
      discard();
    },
  };
}

/** Null where it takes longer; the work goes on. */
async function inTime<T>(work: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => {
      resolve(null);
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
