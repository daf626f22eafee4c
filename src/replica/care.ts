import type { Config } from '../config/config.js';
import type { Logger } from '../log/logger.js';
import type { WriterCalls } from '../threads/calls.js';
import { startCron } from './cron.js';
import type { DiskGuard } from './disk.js';
import { repeat } from './repeat.js';
import { createWalCare } from './wal.js';

/** How often the sizes of the WAL and the disk are looked at. */
const LOOK_INTERVAL_MS = 10_000;

export interface CareParts {
  readonly database: Config['database'];
  readonly writer: Pick<WriterCalls, 'checkpoint' | 'optimize'>;
  readonly disk: DiskGuard;
  readonly logger: Logger;
  /** Aborted when the replica stops. */
  readonly signal: AbortSignal;
  /** ms since 1970. */
  readonly now: () => number;
}

/** Starts what keeps the database file well: checkpoints, a look at the sizes, nightly maintenance. */
export function startCare({ database, writer, disk, logger, signal, now }: CareParts): void {
  const wal = createWalCare({ database, writer, logger, now });
  repeat(database.checkpointIntervalMs, () => wal.checkpoint(), {
    what: 'checkpoint failed',
    logger,
    signal,
  });
  const look = async () => {
    await disk.check();
    await wal.look();
  };
  repeat(LOOK_INTERVAL_MS, look, { what: 'could not look after the WAL', logger, signal });
  startCron(database.maintenance, () => wal.maintain(), { what: 'maintenance failed', logger, signal });
}
