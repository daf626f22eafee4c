import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Config, PeerConfig } from '../config/config.js';
import { isCode, messageOf } from '../errors.js';
import type { Logger } from '../log/logger.js';
import { answerError } from '../pull/answer-error.js';
import { shortJson, type HttpConnection, type HttpRequest } from '../pull/request.js';
import { openReplica } from '../replica/replica.js';
import { openDaemon, type Daemon } from './daemon.js';

/** Why one side has not pulled to the other's head; null where it has. */
export interface Pulled {
  readonly here: string | null;
  readonly there: string | null;
}

/** Has this replica and a peer pull from each other, to the head. */
export interface BothPull {
  readonly last: Pulled;
  run(): Promise<Pulled>;
  close(): Promise<void>;
}

/** A pull that is not over by then goes on without us. */
const MAX_PULL_MS = 60_000;
const POLL_MS = 50;

/** With a daemon here it is asked to pull, and without one this process pulls. The peer's is asked to pull from us. */
export async function bothPull(
  config: Config,
  peer: PeerConfig,
  connection: HttpConnection,
  logger: Logger,
): Promise<BothPull> {
  const daemon = await daemonOf(config);
  const askPeer = async (request: HttpRequest): Promise<unknown> => {
    const answer = await connection.send(request, AbortSignal.timeout(MAX_PULL_MS));
    if (answer.status >= 300) throw answerError(answer, connection.target);
    return shortJson(answer);
  };
  let last: Pulled = { here: null, there: null };
  return {
    get last() {
      return last;
    },
    async run() {
      if (peer.direction === 'both') {
        last = await (daemon === null ? pullAndOffer(config, peer, logger) : askForBoth(daemon, peer.name));
        return last;
      }
      const here = await reasonOf(() =>
        daemon === null
          ? pullOnce(config, peer, logger)
          : askToPull((request) => daemon.ask(request), peer.name),
      );
      const there =
        daemon === null
          ? 'no daemon runs here, from which the peer could pull'
          : await reasonOf(() => askToPull(askPeer, config.node.id));
      last = { here, there };
      return last;
    },
    close: async () => daemon?.close(),
  };
}

/** The peer can't reach us: what it lacks we bring it. */
async function pullAndOffer(config: Config, peer: PeerConfig, logger: Logger): Promise<Pulled> {
  const here = await reasonOf(() => pullOnce(config, peer, logger));
  return { here, there: here };
}

async function askForBoth(daemon: Daemon, peer: string): Promise<Pulled> {
  const ask = (request: HttpRequest) => daemon.ask(request);
  const { time_ms: askedMs } = statusBody.parse(await ask({ method: 'GET', path: '/sync/status' }));
  const here = await reasonOf(() => askToPull(ask, peer));
  const there = await reasonOf(() => untilDone(ask, peer, 'offer', askedMs));
  return { here, there };
}

async function daemonOf(config: Config): Promise<Daemon | null> {
  try {
    return await openDaemon(config);
  } catch (error) {
    if (isCode(error, 'no_daemon')) return null;
    throw error;
  }
}

async function pullOnce(config: Config, peer: PeerConfig, logger: Logger): Promise<void> {
  const replica = await openReplica(config, logger);
  try {
    const [outcome] = await replica.sync({ peer: peer.name });
    if (outcome?.error != null) throw outcome.error;
  } finally {
    await replica.stop();
  }
}

const progress = z
  .object({
    last_attempt_ms: z.number().nullable(),
    last_success_ms: z.number().nullable(),
    last_error: z.object({ message: z.string(), at_ms: z.number() }).nullable(),
  })
  .nullable();

const statusBody = z.object({
  time_ms: z.number(),
  peers: z.array(
    z.object({
      name: z.string(),
      pull: progress,
      offer: progress.optional(),
    }),
  ),
});

type Ask = (request: HttpRequest) => Promise<unknown>;

/** Asks a daemon to pull, and waits until a pull that began after that is over. */
async function askToPull(ask: Ask, from: string): Promise<void> {
  const { time_ms: askedMs } = statusBody.parse(await ask({ method: 'GET', path: '/sync/status' }));
  await ask({ method: 'POST', path: '/sync/trigger', body: { peer: from } });
  await untilDone(ask, from, 'pull', askedMs);
}

/** Waits until a pull or an offer that began after this moment is over. */
async function untilDone(ask: Ask, peer: string, what: 'pull' | 'offer', askedMs: number): Promise<void> {
  const deadline = performance.now() + MAX_PULL_MS;
  while (performance.now() < deadline) {
    const { peers } = statusBody.parse(await ask({ method: 'GET', path: '/sync/status' }));
    const done = peers.find(({ name }) => name === peer)?.[what];
    const startedMs = done?.last_attempt_ms ?? 0;
    if (startedMs >= askedMs && (done?.last_success_ms ?? 0) >= startedMs) return;
    const error = done?.last_error;
    if (error != null && startedMs >= askedMs && error.at_ms >= startedMs) throw new Error(error.message);
    await pause(POLL_MS);
  }
  throw new Error(`the ${what} with ${peer} was not over after ${MAX_PULL_MS / 1000} s`);
}

async function reasonOf(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
