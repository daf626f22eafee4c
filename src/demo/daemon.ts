import { SyncError } from '../errors.js';
import { PROGRAM } from './command-line.js';
import type { Machine } from './machine.js';
import { requireSuccess, type Child, type Processes } from './processes.js';

/** A running replica: `sqlite-p2p-sync start` as a process of its own. */
export interface Daemon {
  readonly process: Child;
  /** Changes that were applied here, by this daemon and those before it. */
  readonly pulled: number;
  /** SIGTERM; resolves when it has ended in order. */
  stop(): Promise<void>;
}

/** Resolves when it listens. Rejects when it ends before. */
export async function startDaemon(
  processes: Processes,
  machine: Machine,
  pulledBefore: number,
): Promise<Daemon> {
  const name = `sqlite-p2p-sync start on ${machine.name}`;
  let pulled = pulledBefore;
  let onListening: () => void;
  const listening = new Promise<void>((resolve) => (onListening = resolve));
  const process = processes.start(name, PROGRAM, ['start', '--config', machine.config], {
    log: machine.log,
    onLine(line) {
      if (!line.startsWith('{')) return;
      const entry = JSON.parse(line) as { message: string; applied?: number };
      if (entry.message === 'listening') onListening();
      if (entry.message === 'pull finished') pulled += entry.applied ?? 0;
    },
  });
  await Promise.race([listening, process.ended.then((ending) => requireRunning(name, ending))]);
  return {
    process,
    get pulled() {
      return pulled;
    },
    async stop() {
      requireSuccess(name, await process.terminate());
    },
  };
}

function requireRunning(name: string, ending: Awaited<Child['ended']>): never {
  requireSuccess(name, ending);
  throw new SyncError('demo_command_failed', `${name} ended by itself`);
}
