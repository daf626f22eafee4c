import { stat } from 'node:fs/promises';
import type { Config } from '../config/config.js';
import { walFileOf } from '../database/wal.js';
import type { Logger } from '../log/logger.js';
import type { WriterCalls } from '../threads/calls.js';

/** Keeps the WAL from growing without bound. */
export interface WalCare {
  /** PASSIVE: writes back what no reader holds. Every `checkpointIntervalMs`. */
  checkpoint(): Promise<void>;
  /** Looks at the size; RESTART where it is above the limit. Cheap, so often. */
  look(): Promise<void>;
  /** TRUNCATE and `PRAGMA optimize`. Nightly. */
  maintain(): Promise<void>;
}

export interface WalParts {
  readonly database: Config['database'];
  readonly writer: Pick<WriterCalls, 'checkpoint' | 'optimize'>;
  readonly logger: Logger;
  /** ms since 1970. */
  readonly now: () => number;
}

export function createWalCare({ database, writer, logger, now }: WalParts): WalCare {
  const walFile = walFileOf(database.path);
  /** The file keeps its size after a RESTART: only growth beyond it calls for another. */
  let restartedAtBytes = 0;
  let notBeforeMs = 0;
  let warned = false;

  async function restart(bytes: number): Promise<void> {
    const { busy } = await writer.checkpoint('RESTART');
    // A reader that holds the WAL will hold it for a while: asking again at once would only stop the writers.
    notBeforeMs = busy ? now() + database.checkpointIntervalMs : 0;
    if (!busy) restartedAtBytes = bytes;
    logger.log(busy ? 'debug' : 'info', 'WAL restarted', { bytes, busy });
  }

  function warn(bytes: number): void {
    const above = bytes > database.walWarnAboveBytes;
    if (above && !warned) {
      logger.warn('the WAL is large: a program holds a read transaction open, or writes very much', {
        bytes,
        limitBytes: database.walWarnAboveBytes,
      });
    }
    warned = above;
  }

  return {
    async checkpoint() {
      const { walPages, checkpointedPages } = await writer.checkpoint('PASSIVE');
      logger.debug('checkpoint', { walPages, checkpointedPages });
    },
    async look() {
      const bytes = await sizeOf(walFile);
      restartedAtBytes = Math.min(restartedAtBytes, bytes);
      warn(bytes);
      const grown = bytes > database.walRestartAboveBytes && bytes > restartedAtBytes;
      if (grown && now() >= notBeforeMs) await restart(bytes);
    },
    async maintain() {
      const { busy, walBytes: bytes } = await writer.checkpoint('TRUNCATE');
      await writer.optimize();
      logger.info('maintenance done', { walBytes: bytes, busy });
    },
  };
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}
