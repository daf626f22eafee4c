import { schedule } from 'node-cron';
import type { Logger } from '../log/logger.js';

/** Runs work by a cron line with seconds, never twice at a time, until the signal is aborted. */
export function startCron(
  expression: string,
  work: () => Promise<void> | void,
  { what, logger, signal }: { readonly what: string; readonly logger: Logger; readonly signal: AbortSignal },
): void {
  const run = async () => {
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) logger.warn(what, { error });
    }
  };
  const task = schedule(expression, run, { noOverlap: true, logger: cronLogger(logger) });
  signal.addEventListener('abort', () => void task.destroy());
}

/** The library's own remarks, e.g. on a run that was missed while the machine slept. */
function cronLogger(logger: Logger) {
  const remark = (message: string | Error) => {
    logger.debug('schedule', { remark: String(message) });
  };
  return { info: remark, warn: remark, error: remark, debug: remark };
}
