import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SyncError } from '../errors.js';

/** A client must have sent its headers, then its whole request, within these. */
const HEADERS_TIMEOUT_MS = 10_000;
/** A page that is offered may be large, and the way slow; all others have less time: see `requireWithin`. */
const REQUEST_TIMEOUT_MS = 300_000;
/** How often it is looked which connections have passed them. */
const LOOK_INTERVAL_MS = 2_000;
/** Longer than the usual pull interval, so that a peer's next pull finds its connection open. */
const KEEP_ALIVE_TIMEOUT_MS = 60_000;
/** Silence on a connection; above the longest time that a request is held. */
const SOCKET_TIMEOUT_MS = 120_000;
const MAX_CONNECTIONS = 1000;
/** The request line, with the URL, and all headers; more is 431. */
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_HEADERS = 100;

/** What the server shows and asks for. PEM. */
export interface ServerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Whose client certificates count; null: those of Node's authorities. */
  readonly ca: Buffer | null;
  /** Clients are asked for a certificate. Who shows none is let in all the same: see `requireClientCertificate`. */
  readonly askClient: boolean;
}

export interface ListenOptions {
  /** Null: plain HTTP. */
  readonly tls?: ServerTls | null;
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly lookIntervalMs?: number;
  /** Told of a client with which no TLS connection comes about. */
  readonly onHandshakeFailed?: (error: Error, address: string) => void;
}

export interface Listening {
  /** As bound: with port 0 configured, the port that was given. */
  readonly host: string;
  readonly port: number;
  /** For the connections that come from now on. Throws where the files don't fit together. */
  renewTls(tls: ServerTls): void;
  /** Accepts nothing more, lets running answers end within `graceMs`, then ends their connections. */
  close(graceMs: number): Promise<void>;
}

/** Serves on host and port. Rejects with `port_taken` or `listen_failed`. */
export async function listen(
  app: RequestListener,
  host: string,
  port: number,
  options: ListenOptions = {},
): Promise<Listening> {
  const server = create(app, options);
  server.setTimeout(SOCKET_TIMEOUT_MS);
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADERS;
  await bind(server, host, port);
  const bound = server.address() as AddressInfo;
  return {
    host: bound.address,
    port: bound.port,
    renewTls(tls) {
      if (!('setSecureContext' in server)) throw new TypeError('Expected a server with TLS');
      server.setSecureContext(contextOf(tls));
    },
    close: (graceMs) => close(server, graceMs),
  };
}

function create(app: RequestListener, options: ListenOptions): Server | HttpsServer {
  const bounds = {
    headersTimeout: options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
    requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: options.lookIntervalMs ?? LOOK_INTERVAL_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const { tls = null, onHandshakeFailed } = options;
  if (tls === null) return createHttpServer(bounds, app);
  const server = createHttpsServer(
    {
      ...bounds,
      ...contextOf(tls),
      handshakeTimeout: options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
      requestCert: tls.askClient,
      // A connection that is cut tells its owner nothing: the answer does.
      rejectUnauthorized: false,
    },
    app,
  );
  server.on('tlsClientError', (error, socket) => {
    onHandshakeFailed?.(error, socket.remoteAddress ?? '');
    socket.destroy();
  });
  return server;
}

function contextOf({ cert, key, ca }: ServerTls) {
  return { cert, key, ...(ca === null ? {} : { ca }) };
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
