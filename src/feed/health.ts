import type { RequestHandler } from 'express';
import { PROTOCOL } from '../wire/page.js';
import type { HealthBody } from '../wire/http.js';
import type { FeedParts } from './feed.js';

/** A database that does not answer this soon can't be used. */
const MAX_PROBE_MS = 2000;

/** `GET /health`: open to all, so it says no more than who answers; 503 when the database can't be used. */
export function healthRoute(parts: FeedParts): RequestHandler {
  return async (_request, response) => {
    const usable = await answers(parts.reader.dataVersion());
    const body: HealthBody = {
      status: usable ? 'ok' : 'unavailable',
      node: parts.node,
      version: parts.version,
      protocol: PROTOCOL,
      epoch: parts.epoch(),
      server_time_ms: parts.now(),
    };
    response.status(usable ? 200 : 503).json(body);
  };
}

async function answers(probe: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, MAX_PROBE_MS);
  });
  const answered = probe.then(
    () => true,
    () => false,
  );
  const usable = await Promise.race([answered, late]);
  clearTimeout(timer);
  return usable;
}
