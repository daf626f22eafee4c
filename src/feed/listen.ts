import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SyncError } from '../errors.js';

/** A client must have sent its headers, then its whole request, within these: a page that is offered may be large. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 300_000;
/** Longer than the usual pull interval, so that a peer's next pull finds its connection open. */
const KEEP_ALIVE_TIMEOUT_MS = 60_000;
/** Silence on a connection; above the longest time that a request is held. */
const SOCKET_TIMEOUT_MS = 120_000;
const MAX_CONNECTIONS = 1000;

export interface Listening {
  /** As bound: with port 0 configured, the port that was given. */
  readonly host: string;
  readonly port: number;
  /** Accepts nothing more, lets running answers end within `graceMs`, then ends their connections. */
  close(graceMs: number): Promise<void>;
}

/** Serves on host and port. Rejects with `port_taken` or `listen_failed`. */
export async function listen(app: RequestListener, host: string, port: number): Promise<Listening> {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    },
    app,
  );
  server.setTimeout(SOCKET_TIMEOUT_MS);
  server.maxConnections = MAX_CONNECTIONS;
  await bind(server, host, port);
  const bound = server.address() as AddressInfo;
  return { host: bound.address, port: bound.port, close: (graceMs) => close(server, graceMs) };
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays: a connection that can't be accepted later is that client's loss, and must not end the daemon.
    server.on('error', (cause: NodeJS.ErrnoException) => {
      reject(listenError(cause, `${host}:${port}`));
    });
    server.listen(port, host, resolve);
  });
}

function listenError(cause: NodeJS.ErrnoException, address: string): SyncError {
  if (cause.code === 'EADDRINUSE') {
    return new SyncError('port_taken', `another program listens on ${address} already`, {
      hint: 'Is the daemon running already (sqlite-p2p-sync status)? Otherwise choose another port for node.listen.',
      cause,
    });
  }
  return new SyncError('listen_failed', `can't listen on ${address}: ${cause.message}`, {
    hint: 'Check node.listen: the host must be an address of this machine, the port free and allowed.',
    cause,
  });
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => {
      server.closeAllConnections();
    }, graceMs);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
