import type { CommandDefinition } from '../cli/command.js';
import type { Config } from '../config/config.js';
import type { Logger } from '../log/logger.js';
import { openReplica, type Replica } from '../replica/replica.js';

export const command: CommandDefinition = {
  name: 'start',
  summary: 'serve and replicate in the background until SIGINT or SIGTERM',
  configure: () => undefined,
  async run(context) {
    const config = context.loadConfig();
    const logger = context.openLog(config);
    const signals = awaitSignal();
    const replica = await openReplica(config, logger);
    try {
      await replica.start();
      announce(replica, config, logger);
      context.printJson({ node: config.node.id, listen: replica.address, pid: process.pid });
      logger.info('stopping', { signal: await signals.first });
    } finally {
      await replica.stop();
      signals.release();
    }
    logger.info('stopped');
    endStuckThreads();
    return 0;
  },
};

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Says what is replicated, how often, and where the feed listens. */
function announce(replica: Replica, config: Config, logger: Logger): void {
  const { tables, peers, sync, node } = config;
  logger.info('replicating', {
    node: node.id,
    database: config.database.path,
    tables: tables.map(({ name }) => name),
  });
  const rate =
    sync.schedule === null ? { everySeconds: sync.intervalMs / 1000 } : { schedule: sync.schedule };
  if (peers.length === 0) logger.info('no peer is configured: only serving');
  for (const peer of peers) logger.info('pulling', { peer: peer.name, address: peer.address, ...rate });
  logger.info('listening', { address: `http://${replica.address ?? ''}` });
}

/** Resolves with the first signal; a second one ends the process at once. */
function awaitSignal() {
  let resolveFirst: (signal: string) => void;
  const first = new Promise<string>((resolve) => {
    resolveFirst = resolve;
  });
  let asked = false;
  const onSignal = (signal: string) => {
    if (asked) process.exit(1);
    asked = true;
    resolveFirst(signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const release = () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  return { first, release };
}

/** Time for the process to end by itself, so that the whole stop takes less than 5 s. */
const END_GRACE_MS = 300;

/** A thread that waits for a lock of the app would keep the process alive. */
function endStuckThreads(): void {
  setTimeout(() => process.exit(0), END_GRACE_MS).unref();
}
