import type { Request, RequestHandler } from 'express';
import { MemoryStore, rateLimit } from 'express-rate-limit';
import { NODE_ID } from '../wire/instance.js';
import type { Judge } from './access.js';
import { addressOf, tooMany, type RefusalCounts } from './refusals.js';

/** Requests of one client. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

const WINDOW_MS = 1000;

/**
 * Answers 429 to who asks more often. A client is an address; several replicas behind one address are told apart by
 * their node ids once they are let in. Questions that are held are counted by themselves, so that a storm of commits,
 * each of which ends one, leaves the pulls their number.
 */
export function limitRate(
  { perSecond, burst }: RateLimit,
  judge: Judge,
  counts: RefusalCounts,
  signal: AbortSignal,
): RequestHandler {
  const store = new MemoryStore();
  signal.addEventListener('abort', () => {
    store.shutdown();
  });
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: perSecond + burst,
    store,
    standardHeaders: false,
    legacyHeaders: false,
    // What it would say of a proxy's headers, it would say on the console.
    validate: false,
    keyGenerator: (request) => `${addressOf(request.ip ?? '')} ${nodeOf(request, judge)} ${kindOf(request)}`,
    handler: (_request, response, next) => {
      counts.rate += 1;
      response.set('retry-after', String(WINDOW_MS / 1000));
      next(tooMany(`more than ${perSecond} requests a second came from this client`));
    },
  });
}

function nodeOf(request: Request, judge: Judge): string {
  const { node } = request.query;
  return typeof node === 'string' && NODE_ID.test(node) && judge(request) === null ? node : '';
}

function kindOf({ method, path, query }: Request): string {
  return method === 'GET' && path === '/sync/changes' && query.peek === '1' ? 'question' : '';
}
