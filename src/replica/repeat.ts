import type { Logger } from '../log/logger.js';

/**
 * Runs work again and again, `ms` after it last ended, until the signal is aborted. A failure is logged as
 * `what` once, until the work succeeds again.
 */
export function repeat(
  ms: number,
  work: () => Promise<void>,
  { what, logger, signal }: { readonly what: string; readonly logger: Logger; readonly signal: AbortSignal },
): void {
  let failing = false;
  let timer: NodeJS.Timeout;
  const schedule = () => {
    if (!signal.aborted) timer = setTimeout(() => void run(), ms);
  };
  async function run(): Promise<void> {
    try {
      await work();
      failing = false;
    } catch (error) {
      if (!signal.aborted) logger.log(failing ? 'debug' : 'warn', what, { error });
      failing = true;
    }
    schedule();
  }
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
  });
  schedule();
}
