import { SyncError } from '../errors.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Runs work that a person may interrupt: it is aborted, and can clean up before the process ends. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const end = new AbortController();
  const interrupt = () => {
    end.abort(new SyncError('interrupted', 'interrupted', { hint: 'Run the same command again.' }));
  };
  for (const name of SIGNALS) process.once(name, interrupt);
  try {
    return await work(end.signal);
  } catch (error) {
    throw end.signal.aborted ? end.signal.reason : error;
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}
