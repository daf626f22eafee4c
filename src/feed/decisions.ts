import { json, Router } from 'express';
import { z } from 'zod';
import { SyncError } from '../errors.js';
import type { FeedParts } from './feed.js';

const MAX_BODY_BYTES = 16 * 1024;

const ID = /^[1-9]\d{0,14}$/;

const resolveBody = z.strictObject({
  keep: z.enum(['local', 'remote']),
  force: z.boolean().default(false),
});

/** What a person decides about changes that the rules could not settle. */
export function decisionRoutes({ writer }: Pick<FeedParts, 'writer'>): Router {
  const router = Router();
  const body = json({ limit: MAX_BODY_BYTES });
  router.post('/sync/conflicts/:id/resolve', body, async (request, response) => {
    const id = idOf(request.params.id, 'conflict');
    const asked = resolveBody.safeParse(request.body);
    if (!asked.success) {
      throw new SyncError('bad_request', 'the request does not say which side to keep', {
        hint: 'Send JSON such as {"keep":"local"} or {"keep":"remote"}, with content-type: application/json.',
      });
    }
    const conflict = await writer.resolve(id, asked.data);
    response.json({ kept: asked.data.keep, conflict });
  });
  router.post('/sync/quarantine/:id/retry', async (request, response) => {
    const id = idOf(request.params.id, 'held change');
    const { reason } = await writer.retry(id);
    response.json({ id, released: reason === null, reason });
  });
  return router;
}

function idOf(given: string, what: string): number {
  if (ID.test(given)) return Number(given);
  throw new SyncError('bad_request', `the path names no ${what}`, {
    hint: 'It holds the number that the list gives.',
  });
}
