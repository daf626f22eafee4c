import type { Request, RequestHandler } from 'express';

/** A client must have sent its whole request within this, unless it was given longer. */
const REQUEST_TIMEOUT_MS = 30_000;

const timers = new WeakMap<Request, NodeJS.Timeout>();

/** Cuts off who has not sent a request to its end within `timeoutMs`, with 408. */
export function requireWithin(timeoutMs = REQUEST_TIMEOUT_MS): RequestHandler {
  return (request, response, next) => {
    const cut = () => {
      if (request.complete) return;
      if (!response.headersSent) response.status(408).set('connection', 'close').end();
      request.destroy();
    };
    const timer = setTimeout(cut, timeoutMs);
    timers.set(request, timer);
    response.once('close', () => {
      clearTimeout(timer);
    });
    next();
  };
}

/** Leaves a request that may be large to the time that the server gives to all. */
export function giveLonger(request: Request): void {
  clearTimeout(timers.get(request));
}
