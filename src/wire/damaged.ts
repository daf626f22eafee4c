import type { z } from 'zod';
import { SyncError } from '../errors.js';
import { shortened } from './shortened.js';

/** What a schema makes of a value; throws `page_damaged` with the first fault and its place. */
export function checked<T>(schema: z.ZodType<T>, value: unknown, place: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw damaged(
    `${shortened([place, ...(issue?.path ?? [])].join('.'))}: ${shortened(issue?.message ?? 'is not valid')}`,
    result.error,
  );
}

/** The error of what came from a peer and can't be read. */
export function damaged(message: string, cause?: unknown): SyncError {
  return new SyncError('page_damaged', message, {
    hint: 'The page was discarded and will be asked for again; if it stays so, update both replicas.',
    cause,
  });
}
