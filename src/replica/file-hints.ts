import { watch } from 'node:fs';
import type { Logger } from '../log/logger.js';

/**
 * Tells when the database file or its WAL is written, as far as the system lets us know: a hint, since it may not (network
 * file systems, some containers), and since what is written may not be committed yet.
 */
export function watchFile(
  path: string,
  onHint: () => void,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): void {
  for (const file of [path, `${path}-wal`]) {
    const fail = (error: unknown) => {
      logger.debug('no hints of commits from the file: they are looked for only', { file, error });
    };
    try {
      watch(file, { persistent: false, signal }, onHint).on('error', fail);
    } catch (error) {
      // There is no WAL in another journal mode.
      fail(error);
    }
  }
}
