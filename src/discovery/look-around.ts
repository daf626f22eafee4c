import type { Logger } from '../log/logger.js';
import { startDiscovery } from './discovery.js';
import type { Heard } from './found.js';

export interface Look {
  /** The IPv4 address of the only interface to use; null: all. */
  readonly interfaceAddress: string | null;
  readonly logger: Logger;
  /** The look ends as soon as all of these were found; null: it takes its whole time. */
  readonly wanted: readonly string[] | null;
}

/** Everybody who is there answers within a second. */
const LOOK_MS = 1500;

/** Who is in the local network now, for a command that has no daemon to ask. Nothing is announced. */
export async function lookAround({ interfaceAddress, logger, wanted }: Look): Promise<readonly Heard[]> {
  const enough = new AbortController();
  const missing = new Set(wanted ?? []);
  const discovery = await startDiscovery({
    own: null,
    interfaceAddress,
    logger,
    isWanted: (node) => wanted?.includes(node) ?? false,
    onFound(node) {
      missing.delete(node);
      if (wanted !== null && missing.size === 0) enough.abort();
    },
  });
  if (discovery === null) return [];
  await within(LOOK_MS, enough.signal);
  const found = discovery.all();
  await discovery.stop();
  return found;
}

/** Resolves after so many ms, or when the signal is aborted. */
function within(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}
