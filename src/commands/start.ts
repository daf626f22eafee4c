import type { CommandDefinition } from '../cli/command.js';
import { openReplica } from '../replica/replica.js';

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
