import type { Config } from '../config/config.js';
import type { Logger } from '../log/logger.js';
import { createDiskGuard } from '../replica/disk.js';
import { sayRenewal } from '../replica/folding.js';
import type { ReaderCalls, WriterCalls } from '../threads/calls.js';
import { openThreads } from '../threads/open.js';

/** A replica's database as `export` and `import` use it, beside a daemon or without one. */
export interface OpenedDatabase {
  readonly reader: Pick<ReaderCalls, 'page' | 'pullStart' | 'identity'>;
  readonly writer: Pick<WriterCalls, 'fold' | 'apply' | 'resetCursor' | 'putBackCursor'>;
  /** Rejects with `low_disk` where nothing may be applied. */
  admit(): Promise<void>;
}

/** Opens the database's threads for the time of some work. */
export async function withDatabase<T>(
  config: Config,
  logger: Logger,
  work: (database: OpenedDatabase) => Promise<T>,
): Promise<T> {
  const { writer, reader, renewal } = await openThreads(config);
  try {
    if (renewal !== null) sayRenewal(logger, renewal);
    const { path, lowDiskBytes } = config.database;
    const disk = createDiskGuard(path, lowDiskBytes, { logger, onRoom: () => undefined });
    return await work({ reader, writer, admit: () => disk.admit() });
  } finally {
    await writer.close();
    await reader.close();
  }
}
