import type { ErrorRequestHandler, RequestHandler } from 'express';
import { SyncError } from '../errors.js';
import type { ErrorBody } from '../wire/http.js';
import type { Logger } from '../log/logger.js';

/** The HTTP status of each code of ours that is not the server's own failure. */
const STATUS: Readonly<Record<string, number>> = {
  bad_query: 400,
  bad_request: 400,
  request_damaged: 400,
  no_address: 400,
  page_damaged: 400,
  peer_endless: 400,
  wrong_node: 400,
  unauthorized: 401,
  host_refused: 403,
  client_certificate_refused: 403,
  not_a_peer: 403,
  unknown_peer: 404,
  unknown_route: 404,
  clock_skew: 409,
  cursor_moved: 409,
  instance_renewed: 409,
  conflict_unknown: 404,
  held_unknown: 404,
  conflict_settled: 409,
  conflict_outdated: 409,
  resolution_refused: 409,
  table_unknown: 409,
  own_node: 409,
  rows_missing: 409,
  two_owners: 409,
  cursor_invalid: 410,
  offer_busy: 429,
  snapshot_busy: 429,
  rate_limited: 429,
};

/** Answers every error as `{"error":{"code","message","hint"}}`; what is not ours is logged and not told. */
export function errorAnswer(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (request.socket.destroyed) {
      // Nobody is there to be told, and what ended the connection may be all that failed.
      logger.debug('a request ended with its connection', {
        method: request.method,
        path: request.path,
        error,
      });
      return;
    }
    if (response.headersSent) {
      next(error);
      return;
    }
    const { status, body } = describe(error);
    if (status >= 500)
      logger.error('a request failed', { method: request.method, path: request.path, error });
    response.status(status).json(body);
  };
}

/** The last route: nothing else matched. */
export const unknownRoute: RequestHandler = (request) => {
  throw new SyncError('unknown_route', `there is no ${request.method} ${request.path} here`, {
    hint: 'The routes are listed in docs/protocol.md.',
  });
};

function describe(error: unknown): { status: number; body: ErrorBody } {
  if (error instanceof SyncError) {
    // A code without a status of its own comes from the database: the request was fine, this replica is not.
    const status = STATUS[error.code] ?? 503;
    return { status, body: { error: { code: error.code, message: error.message, hint: error.hint } } };
  }
  const status = clientFault(error);
  if (status !== null) {
    return { status, body: { error: { code: 'bad_request', message: 'the request can not be read' } } };
  }
  return {
    status: 500,
    body: {
      error: { code: 'internal', message: 'the request failed', hint: 'The log of this replica says why.' },
    },
  };
}

/** The 4xx status that express and its body parser give to a request they can't read; null otherwise. */
function clientFault(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('status' in error)) return null;
  const { status } = error;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null;
}
