import { orAborted, withDeadline } from './deadline.js';

/** A peer that takes longer is not waited for: then a row may come from two. */
const PATIENCE_MS = 1_000;

/**
 * The turns of a replica's pulls: what one has brought, the next peer need not send again. Each waits for those before
 * it, but not for longer than `patienceMs`.
 */
export class Turns {
  private before: Promise<unknown> = Promise.resolve();

  constructor(private readonly patienceMs = PATIENCE_MS) {}

  /** Runs a pull in its turn. Rejects as it does, or with the signal's reason. */
  async run<T>(pull: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { before } = this;
    let end = (): void => undefined;
    const pulled = new Promise<void>((resolve) => (end = resolve));
    // Without the results, each of which would hold the one before.
    this.before = Promise.all([before, pulled]).then(() => undefined);
    try {
      await this.turn(before, signal);
      return await pull();
    } finally {
      end();
    }
  }

  private async turn(before: Promise<unknown>, signal: AbortSignal): Promise<void> {
    try {
      await withDeadline(signal, this.patienceMs, (patience) => orAborted(before, patience));
    } catch (error) {
      // Patience may end; the pull itself must not.
      if (signal.aborted) throw error;
    }
  }
}
