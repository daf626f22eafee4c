import { readNtp } from '../clock/ntp.js';
import type { Config } from '../config/config.js';
import { backupReport } from '../replica/backups.js';
import { createDiskGuard } from '../replica/disk.js';
import { statusReport, type StatusReport } from '../replica/status.js';
import { programVersion } from '../replica/version.js';
import { Reader } from '../threads/reader.js';
import type { Logger } from '../log/logger.js';

/** Reads from the database what can be known without a daemon. */
export async function statusWithoutDaemon(config: Config, logger: Logger): Promise<StatusReport> {
  const disk = createDiskGuard(config.database.path, config.database.lowDiskBytes, {
    logger,
    onRoom: () => undefined,
  });
  // One answer for one command: nothing else waits for this process, so it needs no thread.
  const reader = new Reader(config);
  try {
    await reader.open();
    await disk.check();
    return statusReport({
      config,
      version: programVersion(),
      local: await reader.status(),
      dangling: await reader.danglingReferences(),
      disk,
      ntp: config.clock.requireNtp === 'off' ? null : await readNtp(),
      backup: backupReport(config),
      loops: new Map(),
      running: false,
      listen: null,
      nowMs: Date.now(),
    });
  } finally {
    await reader.close();
  }
}
