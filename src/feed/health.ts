import type { Request, RequestHandler } from 'express';
import { CHALLENGE, keyProof } from '../wire/key-proof.js';
import { PROTOCOL } from '../wire/page.js';
import type { HealthBody } from '../wire/http.js';
import type { FeedParts } from './feed.js';

/** A database that does not answer this soon can't be used. */
const MAX_PROBE_MS = 2000;

/** `GET /health`: open to all, so it says no more than who answers; 503 when the database can't be used. */
export function healthRoute(parts: FeedParts): RequestHandler {
  return async (request, response) => {
    const epoch = await answered(parts.reader.identity().then((identity) => identity.epoch));
    const body: HealthBody = {
      status: epoch === null ? 'unavailable' : 'ok',
      node: parts.node,
      version: parts.version,
      protocol: PROTOCOL,
      ...(epoch === null ? {} : { epoch }),
      server_time_ms: parts.now(),
      ...proofsFor(request, parts),
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

/** Proofs of our keys to one who has found us and asks for them, by the address that the request came to. */
function proofsFor(request: Request, { node, apiKeys, provesKeys }: FeedParts): Pick<HealthBody, 'proofs'> {
  const { challenge } = request.query;
  const { localAddress: host, localPort: port } = request.socket;
  if (provesKeys !== true || typeof challenge !== 'string' || !CHALLENGE.test(challenge)) return {};
  if (host === undefined || port === undefined) return {};
  return { proofs: apiKeys.map((key) => keyProof(key, { challenge, node, host, port })) };
}
