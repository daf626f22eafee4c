import { z } from 'zod';
import { SyncError } from '../errors.js';
import type { PageRequest } from '../threads/calls.js';
import { DEFAULT_PAGE_CHANGES, MAX_PAGE_CHANGES, MAX_WAIT_S } from '../wire/http.js';

export interface ChangesQuery extends PageRequest {
  /** How long to hold the request until there is something, in ms. */
  readonly waitMs: number;
}

/** Characters of a cursor; ours have 64 + 15 + 64 digits at most. */
const MAX_CURSOR_LENGTH = 200;
const MAX_TABLES_LENGTH = 10_000;

const integer = (max: number, min: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be ${min} or more`).max(max, `must be ${max} or less`));

const changesQuery = z.object({
  since: z.string().max(MAX_CURSOR_LENGTH, 'is too long for a cursor').default(''),
  limit: integer(MAX_PAGE_CHANGES, 1).default(DEFAULT_PAGE_CHANGES),
  node: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be a node id: letters, digits, . _ -')
    .optional(),
  epoch: z
    .string()
    .regex(/^[0-9a-f]{1,64}$/, 'must be an epoch: hex digits')
    .optional(),
  tables: z.string().max(MAX_TABLES_LENGTH, 'is too long').optional(),
  wait: integer(MAX_WAIT_S, 0).default(0),
});

/** Reads the query of `GET /sync/changes`; `known` are the replicated tables. Throws `bad_query`. */
export function parseChangesQuery(query: unknown, known: readonly string[]): ChangesQuery {
  const result = changesQuery.safeParse(query);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw badQuery(`${issue?.path.join('.') ?? 'query'} ${issue?.message ?? 'is not valid'}`);
  }
  const { since, limit, node, epoch, tables, wait } = result.data;
  return {
    since,
    limit,
    node: node ?? null,
    epoch: epoch ?? null,
    tables: tables === undefined ? null : knownTables(tables, known),
    waitMs: wait * 1000,
  };
}

function knownTables(list: string, known: readonly string[]): string[] {
  return list.split(',').map((name) => {
    if (known.includes(name)) return name;
    throw badQuery(`tables names "${name}", which is not replicated here`);
  });
}

function badQuery(message: string): SyncError {
  return new SyncError('bad_query', `the query is not valid: ${message}`, {
    hint: 'The parameters of /sync/changes are since, limit, node, epoch, tables and wait; see docs/protocol.md.',
  });
}
