import { once } from 'node:events';
import type { CommandDefinition, ExitStatus } from '../cli/command.js';
import { openReplica, type Replica } from '../replica/replica.js';

export const command: CommandDefinition = {
  name: 'start',
  summary: 'serve and replicate in the background until SIGINT or SIGTERM',
  configure: () => undefined,
  async run(context) {
    const config = context.loadConfig();
    const logger = context.openLog(config);
    const signals = awaitSignal();
    let status: ExitStatus = 0;
    const replica = await openReplica(config, logger);
    try {
      await replica.start();
      context.printJson({ node: config.node.id, listen: replica.address, pid: process.pid });
      const reason = await Promise.race([signals.first, failureOf(replica)]);
      if (reason === null) status = 1;
      else logger.info('stopping', { signal: reason });
    } finally {
      await replica.stop();
      signals.release();
    }
    logger.info('stopped');
    endStuckThreads(status);
    return status;
  },
};

/** Resolves, with null, when the replica can't go on. */
async function failureOf(replica: Replica): Promise<null> {
  await once(replica, 'failed');
  return null;
}

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
function endStuckThreads(status: ExitStatus): void {
  setTimeout(() => process.exit(status), END_GRACE_MS).unref();
}
