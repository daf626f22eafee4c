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
  readonly writer: Pick<WriterCalls, 'checkpoint' | 'optimize' | 'prune' | 'retryDue'>;
  readonly retention: Config['retention'];
  readonly disk: DiskGuard;
  readonly logger: Logger;
  /** Aborted when the replica stops. */
  readonly signal: AbortSignal;
  /** ms since 1970. */
  readonly now: () => number;
}

/**
 * Starts what keeps the database file well: checkpoints, a look at the sizes and at held changes
 * whose time has come, nightly maintenance and pruning.
 */
export function startCare(parts: CareParts): void {
  const { database, writer, retention, disk, logger, signal, now } = parts;
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
  const retryDue = async () => {
    const applied = await writer.retryDue();
    if (applied > 0) logger.info('changes whose time has come were applied', { applied });
  };
  repeat(LOOK_INTERVAL_MS, retryDue, { what: 'held changes could not be tried again', logger, signal });
  const prune = async () => {
    const { pruned, expired, refused, bound } = await writer.prune();
    logger.info('pruned', { tombstones: pruned, expired, refused, upTo: bound.upTo, head: bound.head });
    for (const { member, blocks } of bound.standings) {
      if (blocks !== null) logger.warn('nothing can be pruned', { peer: member.node, reason: blocks });
    }
  };
  startCron(retention.schedule, prune, { what: 'pruning failed', logger, signal });
  startCron(database.maintenance, () => wal.maintain(), { what: 'maintenance failed', logger, signal });
}
