import { watch, type FSWatcher } from 'node:fs';
import { walFileOf } from '../database/wal.js';
import type { Logger } from '../log/logger.js';

/** Asks for the next hint: one is given at most until it is called again. */
export type Arm = () => void;

/**
 * Tells when the database file or its WAL is written, as far as the system lets us know: a hint, since it may not (network
 * file systems, some containers), and since what is written may not be committed yet. After a hint nothing is listened to
 * until the next is asked for: a large transaction would wake this thread, and make the writer tell, for each of its pages.
 */
export function watchFile(
  path: string,
  onHint: () => void,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Arm {
  const files = [path, walFileOf(path)];
  const listening = new Map<string, FSWatcher>();
  const failing = new Set<string>();

  function hint(): void {
    stop();
    onHint();
  }

  function stop(): void {
    for (const watcher of listening.values()) watcher.close();
    listening.clear();
  }

  function fail(file: string, error: unknown): void {
    listening.get(file)?.close();
    listening.delete(file);
    if (!failing.has(file))
      logger.debug('no hints of commits from the file: they are looked for only', { file, error });
    failing.add(file);
  }

  function listen(file: string): void {
    try {
      const watcher = watch(file, { persistent: false }, hint);
      watcher.on('error', (error) => {
        fail(file, error);
      });
      listening.set(file, watcher);
      failing.delete(file);
    } catch (error) {
      // There is no WAL in another journal mode, or not yet.
      fail(file, error);
    }
  }

  signal.addEventListener('abort', stop, { once: true });
  return () => {
    if (signal.aborted) return;
    for (const file of files) if (!listening.has(file)) listen(file);
  };
}
