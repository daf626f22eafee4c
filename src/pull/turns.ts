import { orAborted } from './deadline.js';

/** Longer than the pulls of a busy machine; a peer that takes longer is not waited for: then a row may come from two. */
const PATIENCE_MS = 10_000;

/**
 * The turns of a replica's pulls: what one has brought, the next peer need not send again. Each waits for those before
 * it, but for none of them longer than `patienceMs` after it began, and not at all for a peer whose last pull took longer.
 */
export class Turns {
  private before: Promise<void> = Promise.resolve();
  /** Peers whose last pull outlasted all patience. */
  private readonly slow = new Set<string>();

  constructor(private readonly patienceMs = PATIENCE_MS) {}

  /** Runs a pull from a peer in its turn. Rejects as it does, or with the signal's reason. */
  async run<T>(peer: string, pull: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { before } = this;
    let end = (): void => undefined;
    const pulled = new Promise<void>((resolve) => (end = resolve));
    this.before = before.then(() => this.endOrPatience(peer, pulled));
    try {
      await orAborted(before, signal);
      return await pull();
    } finally {
      end();
    }
  }

  private async endOrPatience(peer: string, pulled: Promise<void>): Promise<void> {
    const wasSlow = this.slow.has(peer);
    const judged = this.judge(peer, pulled);
    if (!wasSlow) await judged;
  }

  private async judge(peer: string, pulled: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const outlasted = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, this.patienceMs, true);
    });
    const isSlow = await Promise.race([pulled.then(() => false), outlasted]);
    clearTimeout(timer);
    if (isSlow) this.slow.add(peer);
    else this.slow.delete(peer);
  }
}
