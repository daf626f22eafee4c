import { Worker } from 'node:worker_threads';
import type { Config } from '../config/config.js';
import type { BuiltSnapshot, SnapshotCalls } from './calls.js';
import { callThread } from './channel.js';

/** A snapshot that is being written. */
export interface SnapshotInProgress {
  readonly built: Promise<BuiltSnapshot>;
  /** Gives up, and resolves when nothing is written any more. */
  stop(): Promise<unknown>;
}

/** Writes a snapshot to a file, in a thread of its own that ends with it. */
export function startSnapshot(config: Config, file: string): SnapshotInProgress {
  const worker = new Worker(new URL('./snapshot-thread.js', import.meta.url), { workerData: config });
  const calls = callThread<SnapshotCalls>(worker, ['build']);
  const built = calls.build(file).finally(() => void worker.terminate());
  return { built, stop: () => worker.terminate() };
}
