import type { Request, RequestHandler } from 'express';

/** A request that has been answered, or given up. Each field takes few values, whatever is asked. */
export interface AnsweredRequest {
  /** As it was declared, e.g. `/sync/changes`; `other` where no route was reached. */
  readonly route: string;
  readonly method: string;
  /** `aborted` where the client left before the answer was sent. */
  readonly status: number | 'aborted';
  readonly durationMs: number;
}

/** What is told of what the feed does. */
export interface FeedMeter {
  answered(request: AnsweredRequest): void;
  /** A page with so many changes was sent. */
  served(changes: number): void;
}

/** The answer of `GET /metrics`. */
export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

/** What clients of ours send; any other method is told as `OTHER`. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST']);

/** Tells of every request once it has ended. Goes first, so that those are told too that are turned away. */
export function meterRequests(meter: FeedMeter): RequestHandler {
  return (request, response, next) => {
    const startedMs = performance.now();
    response.once('close', () => {
      meter.answered({
        route: routeOf(request),
        method: METHODS.has(request.method) ? request.method : 'OTHER',
        status: response.writableFinished ? response.statusCode : 'aborted',
        durationMs: performance.now() - startedMs,
      });
    });
    next();
  };
}

/** The template of the route that has taken the request, never the path that was asked for. */
function routeOf(request: Request): string {
  const route = request.route as { readonly path?: unknown } | undefined;
  return typeof route?.path === 'string' ? route.path : 'other';
}

/** `GET /metrics`. */
export function metricsRoute(text: () => Promise<MetricsText>): RequestHandler {
  return async (_request, response) => {
    const { contentType, body } = await text();
    response.set('content-type', contentType).set('cache-control', 'no-store').send(body);
  };
}
