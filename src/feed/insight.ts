import { Router } from 'express';
import { z } from 'zod';
import { MAX_TAIL } from '../changelog/tail.js';
import { SyncError } from '../errors.js';
import type { FeedParts } from './feed.js';

const DEFAULT_TAIL = 50;
const MAX_LISTED = 1_000;

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,12}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be ${min} or more`).max(max, `must be ${max} or less`));

const tailQuery = z.strictObject({ tail: wholeNumber(1, MAX_TAIL).default(DEFAULT_TAIL) });
const listQuery = z.strictObject({ limit: wholeNumber(1, MAX_LISTED).default(MAX_LISTED) });
const activityQuery = z.strictObject({ after: wholeNumber(0, 999_999_999_999).default(0) });

/** What a person looks at beside `status`: each answer is bounded, and none reads a whole table. */
export function insightRoutes({ reader, activity }: Pick<FeedParts, 'reader' | 'activity'>): Router {
  const router = Router();
  router.get('/sync/changelog', async (request, response) => {
    response.json(await reader.changelogTail(parsed(tailQuery, request.query).tail));
  });
  router.get('/sync/tables', async (_request, response) => {
    response.json({ tables: await reader.tables() });
  });
  router.get('/sync/conflicts', async (request, response) => {
    response.json(await reader.conflicts(parsed(listQuery, request.query).limit));
  });
  router.get('/sync/quarantine', async (request, response) => {
    response.json(await reader.held(parsed(listQuery, request.query).limit));
  });
  router.get('/sync/activity', (request, response) => {
    response.json(activity(parsed(activityQuery, request.query).after));
  });
  return router;
}

function parsed<T>(schema: z.ZodType<T>, given: unknown): T {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const fault = `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`.trim();
  throw new SyncError('bad_query', `the query is not valid: ${fault}`, {
    hint: 'The parameters stand in docs/protocol.md.',
  });
}
