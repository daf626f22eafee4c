import { mkdirSync } from 'node:fs';
import {
  dropOldBackups,
  dropUnfinished,
  keptBackups,
  newBackupFile,
  type BackupKind,
} from '../backup/kept-files.js';
import type { Config } from '../config/config.js';
import { messageOf, SyncError } from '../errors.js';
import type { Logger } from '../log/logger.js';
import type { BackupInProgress } from '../threads/backup-maker.js';
import type { BackupMade } from '../threads/calls.js';
import { startCron } from './cron.js';
import type { BackupReport } from './status.js';

export interface BackupKeeper {
  /**
   * Begins a backup in the configured folder unless one is being made, and resolves when it is there; those that are
   * too many go then. Rejects with what kept it from being made.
   */
  make(kind: BackupKind): Promise<BackupMade>;
  /** Makes them at the configured times until the signal is aborted. */
  schedule(signal: AbortSignal): void;
  report(): BackupReport;
  /** Ends what is being written, and removes it. */
  close(): Promise<void>;
}

export interface BackupParts {
  readonly config: Config;
  /** Begins to write a backup to a file. */
  readonly start: (file: string) => BackupInProgress;
  readonly logger: Logger;
  /** ms since 1970. */
  readonly now: () => number;
}

/** Makes backups, one at a time, and removes the oldest of them. */
export function keepBackups({ config, start, logger, now }: BackupParts): BackupKeeper {
  let making: Promise<BackupMade> | null = null;
  let inProgress: BackupInProgress | null = null;
  let lastError: BackupReport['last_error'] = null;
  let closed = false;

  async function write(kind: BackupKind): Promise<BackupMade> {
    if (closed) throw new SyncError('stopping', 'The replica is stopping.');
    makeFolder(config.backup.dir);
    dropUnfinished(config);
    const startedMs = now();
    inProgress = start(newBackupFile(config, kind, startedMs));
    const made = await inProgress.made.finally(() => {
      inProgress = null;
    });
    const removed = dropOldBackups(config, kind);
    const { file, bytes, unchecked } = made;
    logger.info('backup made', { file, bytes, durationMs: now() - startedMs, removed: removed.length });
    for (const reason of unchecked) logger.warn('not all of the backup could be checked', { file, reason });
    return made;
  }

  async function attempt(kind: BackupKind): Promise<BackupMade> {
    try {
      const made = await write(kind);
      lastError = null;
      return made;
    } catch (error) {
      if (!closed) lastError = { ...describe(error), at_ms: now() };
      throw error;
    }
  }

  function make(kind: BackupKind): Promise<BackupMade> {
    making ??= attempt(kind).finally(() => {
      making = null;
    });
    return making;
  }

  return {
    make,
    schedule(signal) {
      if (config.backup.schedule === null) return;
      const run = async () => {
        await make('scheduled');
      };
      startCron(config.backup.schedule, run, { what: 'backup failed', logger, signal });
    },
    report: () => backupReport(config, { running: making !== null, lastError }),
    async close() {
      closed = true;
      if (making === null) return;
      await inProgress?.stop();
      // Whoever asked for it is told.
      await making.catch(() => undefined);
      dropUnfinished(config);
    },
  };
}

/** What `status` shows, without a daemon too. */
export function backupReport(
  config: Config,
  { running = false, lastError = null }: { running?: boolean; lastError?: BackupReport['last_error'] } = {},
): BackupReport {
  const { schedule, dir } = config.backup;
  try {
    const kept = keptBackups(config);
    const [newest] = kept;
    const last = newest === undefined ? null : { file: newest.file, at_ms: newest.atMs, bytes: newest.bytes };
    return { schedule, dir, kept: kept.length, last, running, last_error: lastError };
  } catch (error) {
    // Whoever can't read that folder still has a status.
    const message = `${dir} can't be read: ${messageOf(error)}`;
    const unreadable = {
      code: 'backup_failed',
      message,
      hint: 'Correct its permissions.',
      at_ms: Date.now(),
    };
    return { schedule, dir, kept: 0, last: null, running, last_error: lastError ?? unreadable };
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new SyncError('backup_failed', `${folder} can't be made: ${messageOf(cause)}`, {
      hint: 'Correct backup.dir in the configuration, or the permissions of the folder above it.',
      cause,
    });
  }
}

function describe(error: unknown): { code: string; message: string; hint: string | null } {
  if (!(error instanceof SyncError)) return { code: 'unexpected', message: messageOf(error), hint: null };
  return { code: error.code, message: error.message, hint: error.hint ?? null };
}
