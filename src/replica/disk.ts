import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SyncError } from '../errors.js';
import type { Logger } from '../log/logger.js';

/** Watches the room on the disk that holds the database. */
export interface DiskGuard {
  /** Bytes that were free when it was last asked; null where the system does not tell. */
  readonly freeBytes: number | null;
  readonly low: boolean;
  /** Asks again; the first to see that it is low, or has room again, says so. */
  check(): Promise<void>;
  /** Asks again, and rejects with `low_disk` where nothing should be applied. */
  admit(): Promise<void>;
}

export function createDiskGuard(
  databasePath: string,
  limitBytes: number,
  parts: {
    readonly logger: Logger;
    readonly onRoom: () => void;
    readonly freeBytes?: (directory: string) => Promise<number>;
  },
): DiskGuard {
  const { logger, onRoom, freeBytes: ask = freeBytesOf } = parts;
  const directory = dirname(databasePath);
  let freeBytes: number | null = null;
  let low = false;

  async function check(): Promise<void> {
    try {
      freeBytes = await ask(directory);
    } catch (error) {
      logger.debug('could not ask for the free disk space', { directory, error });
      freeBytes = null;
    }
    const wasLow = low;
    low = freeBytes !== null && freeBytes < limitBytes;
    if (low && !wasLow)
      logger.warn('the disk is almost full: pulling stops', { directory, freeBytes, limitBytes });
    if (!low && wasLow) {
      logger.info('the disk has room again: pulling goes on', { directory, freeBytes });
      onRoom();
    }
  }

  return {
    get freeBytes() {
      return freeBytes;
    },
    get low() {
      return low;
    },
    check,
    async admit() {
      await check();
      if (!low) return;
      throw new SyncError('low_disk', `the disk of ${directory} has ${freeBytes ?? 0} bytes left`, {
        hint: `Make room: nothing is applied below ${limitBytes} bytes (database.low_disk); it goes on by itself.`,
      });
    },
  };
}

/** Bytes that are free on the disk of a folder. */
export async function freeBytesOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
