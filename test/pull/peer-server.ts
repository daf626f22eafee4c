import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MAX_PAGE_CHANGES } from '#src/wire/http.js';
import type { MemoryDatabase } from '../stand-ins/memory-database.js';

/** A real HTTP server that answers as a test wants. */
export interface PeerServer {
  readonly address: string;
  readonly port: number;
  /** Paths asked for, with their queries. */
  readonly asked: string[];
  close(): Promise<void>;
}

export async function servePeer(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
  port = 0,
): Promise<PeerServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  return {
    address: `http://127.0.0.1:${bound}`,
    port: bound,
    asked,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A port where nothing listens. */
export async function freePort(): Promise<number> {
  const server = await servePeer(() => undefined);
  await server.close();
  return server.port;
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

export function sendPage(response: ServerResponse, page: unknown): void {
  const body = JSON.stringify(page);
  const sha256 = createHash('sha256').update(body).digest('hex');
  response.writeHead(200, { 'content-type': 'application/json', 'x-page-sha256': sha256 }).end(body);
}

/** Answers `/health` as `node` does, and everything else by `changes`. */
export function asNode(
  node: string,
  changes: (request: IncomingMessage, response: ServerResponse) => void,
): RequestListener {
  return (request, response) => {
    if (request.url === '/health') {
      sendJson(response, { status: 'ok', node, version: '1', protocol: 1, server_time_ms: Date.now() });
    } else {
      changes(request, response);
    }
  };
}

/**
 * Answers as a replica with this database does; a question whether there is news is held until there is. `gives`: the page
 * goes with the answer where that is wanted.
 */
export function asReplica(database: MemoryDatabase, gives = false): RequestListener {
  return asNode(database.node, (request, response) => {
    const query = new URL(request.url ?? '', 'http://peer').searchParams;
    const since = query.get('since') ?? '';
    if (query.get('peek') === '1') {
      holdQuestion(database, since, response, query.get('rows') === 'own' && gives);
      return;
    }
    answerPage(database, since, Number(query.get('limit')), response);
  });
}

function answerPage(database: MemoryDatabase, since: string, limit: number, response: ServerResponse): void {
  database.reader.page({ since, limit, node: null, epoch: null, tables: null }).then(
    ({ body, sha256 }) => response.writeHead(200, { 'x-page-sha256': sha256 }).end(body),
    () => {
      sendJson(response, { error: { code: 'cursor_invalid', message: 'another log' } }, 410);
    },
  );
}

function holdQuestion(
  database: MemoryDatabase,
  since: string,
  response: ServerResponse,
  gives: boolean,
): void {
  if (!database.hasNews(since)) {
    database.events.once('insert', () => {
      holdQuestion(database, since, response, gives);
    });
  } else if (gives) answerPage(database, since, MAX_PAGE_CHANGES, response);
  else sendJson(response, { news: true });
}
