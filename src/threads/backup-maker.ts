import { Worker } from 'node:worker_threads';
import type { Config } from '../config/config.js';
import type { BackupCalls, BackupMade } from './calls.js';
import { callThread } from './channel.js';

/** A backup that is being written. */
export interface BackupInProgress {
  readonly made: Promise<BackupMade>;
  /** Gives up, and resolves when nothing is written any more. What is unfinished stays under its own name. */
  stop(): Promise<unknown>;
}

/** Writes a backup to a file that is not there yet, in a thread of its own that ends with it. */
export function startBackup(config: Config, file: string): BackupInProgress {
  const worker = new Worker(new URL('./backup-thread.js', import.meta.url), { workerData: config });
  const calls = callThread<BackupCalls>(worker, ['make']);
  const made = calls.make(file).finally(() => void worker.terminate());
  return { made, stop: () => worker.terminate() };
}
