import type { RequestHandler } from 'express';
import { PROTOCOL } from '../wire/page.js';
import type { HealthBody } from '../wire/http.js';
import type { FeedParts } from './feed.js';

/** A database that does not answer this soon can't be used. */
const MAX_PROBE_MS = 2000;

/** `GET /health`: open to all, so it says no more than who answers; 503 when the database can't be used. */
export function healthRoute(parts: FeedParts): RequestHandler {
  return async (_request, response) => {
    const epoch = await answered(parts.reader.identity().then((identity) => identity.epoch));
    const body: HealthBody = {
      status: epoch === null ? 'unavailable' : 'ok',
      node: parts.node,
      version: parts.version,
      protocol: PROTOCOL,
      ...(epoch === null ? {} : { epoch }),
      server_time_ms: parts.now(),
    };
    response.status(epoch === null ? 503 : 200).json(body);
  };
}

/** What the probe says; null where it fails, or says nothing in time. */
async function answered<T>(probe: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => {
      resolve(null);
    }, MAX_PROBE_MS);
  });
  const said = await Promise.race([probe.catch(() => null), late]);
  clearTimeout(timer);
  return said;
}
