import type { Config } from '../config/config.js';
import { servesTls } from '../config/tls.js';
import { SyncError } from '../errors.js';
import { answerError } from '../pull/answer-error.js';
import {
  openConnection,
  shortJson,
  type HttpAnswer,
  type HttpConnection,
  type HttpRequest,
  type HttpTarget,
} from '../pull/request.js';
import { ownDaemonTls } from '../tls/client.js';
import { readTlsFiles } from '../tls/files.js';
import type { ErrorBody, HealthBody } from '../wire/http.js';

/** The daemon of this configuration, asked over its own feed. */
export interface Daemon {
  /** The JSON of a successful answer. Rejects with a SyncError otherwise. */
  ask(request: HttpRequest): Promise<unknown>;
  close(): Promise<void>;
}

/** A daemon on this machine that does not answer this soon is stuck. */
const MAX_ANSWER_MS = 10_000;

/** Connects to the daemon at `node.listen`. Rejects with `no_daemon` where none runs, or another replica's. */
export async function openDaemon(config: Config): Promise<Daemon> {
  const files = readTlsFiles(config, Date.now());
  const connection = openConnection({
    name: 'the daemon',
    address: ownAddress(config),
    apiKey: config.security.apiKeys[0] ?? null,
    connectTimeoutMs: config.network.connectTimeoutMs,
    requestTimeoutMs: MAX_ANSWER_MS,
    tls: files === null ? null : { current: ownDaemonTls(files) },
  });
  try {
    await requireOurs(connection, config);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return {
    async ask(request) {
      const answer = await connection.send(request, AbortSignal.timeout(MAX_ANSWER_MS));
      if (answer.status >= 300) throw refusal(answer, connection.target);
      return shortJson(answer);
    },
    close: () => connection.close(),
  };
}

/** The daemon's own words where it gave some: they are meant for the person who asked. */
function refusal(answer: HttpAnswer, target: HttpTarget): SyncError {
  const { error } = (shortJson(answer) ?? {}) as Partial<ErrorBody>;
  if (error === undefined) return answerError(answer, target);
  return new SyncError(error.code, error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    exitCode: error.code === 'unknown_peer' ? 2 : 1,
  });
}

async function requireOurs(connection: HttpConnection, config: Config): Promise<void> {
  const { address } = connection.target;
  let health: Partial<HealthBody> | undefined;
  try {
    const answer = await connection.send(
      { method: 'GET', path: '/health' },
      AbortSignal.timeout(MAX_ANSWER_MS),
    );
    health = shortJson(answer) as Partial<HealthBody> | undefined;
  } catch (cause) {
    throw new SyncError('no_daemon', `no daemon answers at ${address}`, {
      hint: 'Start it with: sqlite-p2p-sync start',
      cause,
    });
  }
  if (health?.node === config.node.id) return;
  const other = typeof health?.node === 'string' ? `replica "${health.node}"` : 'another program';
  throw new SyncError('no_daemon', `${address} belongs to ${other}, not to the daemon of ${config.node.id}`, {
    hint: 'Correct node.listen, or stop the other one.',
  });
}

/** Where this machine reaches its own feed; one that listens on all addresses is reached by loopback. */
function ownAddress({ node, security }: Config): string {
  const { host, port } = node.listen;
  const scheme = servesTls(security) ? 'https' : 'http';
  if (host === '0.0.0.0') return `${scheme}://127.0.0.1:${port}`;
  if (host === '::') return `${scheme}://[::1]:${port}`;
  return host.includes(':') ? `${scheme}://[${host}]:${port}` : `${scheme}://${host}:${port}`;
}
