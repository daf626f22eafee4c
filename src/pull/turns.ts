import { orAborted } from './deadline.js';

/** A peer that takes longer is not waited for: then a row may come from two. */
const PATIENCE_MS = 1_000;

/**
 * The turns of a replica's pulls: what one has brought, the next peer need not send again. Each waits for those before
 * it, but for none of them longer than `patienceMs` after it began.
 */
export class Turns {
  private before: Promise<void> = Promise.resolve();

  constructor(private readonly patienceMs = PATIENCE_MS) {}

  /** Runs a pull in its turn. Rejects as it does, or with the signal's reason. */
  async run<T>(pull: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { before } = this;
    let end = (): void => undefined;
    const pulled = new Promise<void>((resolve) => (end = resolve));
    this.before = before.then(() => this.endOrPatience(pulled));
    try {
      await orAborted(before, signal);
      return await pull();
    } finally {
      end();
    }
  }

  private async endOrPatience(pulled: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.patienceMs)));
    await Promise.race([pulled, patience]);
    clearTimeout(timer);
  }
}
