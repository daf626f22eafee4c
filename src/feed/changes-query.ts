import { z } from 'zod';
import { SyncError } from '../errors.js';
import type { PageRequest } from '../threads/calls.js';
import { parseClaims, parseHeard, unheard, type Member } from '../wire/members.js';
import { MAX_STAMP_MS } from '../clock/stamp.js';
import { MAX_CURSOR_LENGTH } from '../wire/cursor.js';
import { DEFAULT_PAGE_CHANGES, MAX_PAGE_CHANGES, MAX_WAIT_S } from '../wire/http.js';
import { EPOCH, NODE_ID } from '../wire/instance.js';

export interface ChangesQuery extends PageRequest {
  /** How long to hold the request until there is something, in ms. */
  readonly waitMs: number;
  /** Asked before what `since` stands for was applied: it acknowledges nothing. */
  readonly ahead: boolean;
  /** Only whether there is anything: no page, and nothing acknowledged. */
  readonly peek: boolean;
  /** With `peek`: the page itself may be the answer, where all of it was authored here. */
  readonly own: boolean;
  /** What is folded by now is enough, if there is anything. */
  readonly prompt: boolean;
}

const MAX_TABLES_LENGTH = 10_000;

const integer = (max: number, min: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be ${min} or more`).max(max, `must be ${max} or less`));

const time = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a time in ms')
  .transform(Number)
  .pipe(z.number().max(MAX_STAMP_MS, 'must be a time in ms'));

const changesQuery = z.object({
  since: z.string().max(MAX_CURSOR_LENGTH, 'is too long for a cursor').default(''),
  limit: integer(MAX_PAGE_CHANGES, 1).default(DEFAULT_PAGE_CHANGES),
  node: z.string().regex(NODE_ID, 'must be a node id: letters, digits, . _ -').optional(),
  epoch: z.string().regex(EPOCH, 'must be an epoch: hex digits').optional(),
  tables: z.string().max(MAX_TABLES_LENGTH, 'is too long').optional(),
  wait: integer(MAX_WAIT_S, 0).default(0),
  full: z.enum(['0', '1'], 'must be 0 or 1').default('0'),
  whole: z.enum(['0', '1'], 'must be 0 or 1').default('0'),
  ahead: z.enum(['0', '1'], 'must be 0 or 1').default('0'),
  peek: z.enum(['0', '1'], 'must be 0 or 1').default('0'),
  rows: z.literal('own', 'must be own').optional(),
  prompt: z.enum(['0', '1'], 'must be 0 or 1').default('0'),
  witness: z.string().max(MAX_CURSOR_LENGTH, 'is too long for a cursor').optional(),
  heard: z
    .string()
    .transform(parseHeard)
    .refine((heard) => heard !== null, 'must be an epoch and a time in ms, with a point between them')
    .optional(),
  known: z
    .string()
    .regex(/^[0-9a-f]{8}$/, 'must be 8 hex digits')
    .optional(),
  claims: z
    .string()
    .transform(parseClaims)
    .refine(
      (claims) => claims !== null,
      'must be claims: node@epoch:log id.mark, or node@epoch:0, with commas between them',
    )
    .optional(),
  born: time.optional(),
  told: time.optional(),
  held: z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .optional(),
  holds: z
    .string()
    .regex(/^[0-9a-f]{16}$/, 'must be 16 hex digits')
    .optional(),
});

/** Reads the query of `GET /sync/changes`; `replicated` names the tables. Throws `bad_query`. */
export function parseChangesQuery(query: unknown, replicated: readonly string[]): ChangesQuery {
  const result = changesQuery.safeParse(query);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw badQuery(`${issue?.path.join('.') ?? 'query'} ${issue?.message ?? 'is not valid'}`);
  }
  const {
    since,
    limit,
    node,
    epoch,
    tables,
    wait,
    known,
    full,
    whole,
    ahead,
    peek,
    rows,
    prompt,
    witness,
    heard,
  } = result.data;
  return {
    since,
    limit,
    node: node ?? null,
    epoch: epoch ?? null,
    tables: tables === undefined ? null : knownTables(tables, replicated),
    member: memberOf(result.data),
    known: known ?? null,
    full: full === '1',
    whole: whole === '1',
    witness: witness ?? null,
    heard: heard ?? null,
    ahead: ahead === '1',
    peek: peek === '1',
    own: rows === 'own',
    prompt: prompt === '1',
    waitMs: wait * 1000,
  };
}

/** What the puller says of itself: all of it or nothing. */
function memberOf(query: z.output<typeof changesQuery>): Member | null {
  const { node, epoch, claims, born, told, held, holds } = query;
  const given = [claims, born, told, held, holds].filter((value) => value !== undefined && value !== null);
  if (given.length === 0) return null;
  if (
    node === undefined ||
    epoch === undefined ||
    claims === undefined ||
    claims === null ||
    born === undefined ||
    told === undefined ||
    held === undefined ||
    holds === undefined
  ) {
    throw badQuery('claims, born, told, held and holds come together, with node and epoch');
  }
  return { ...unheard(node, epoch), born_ms: born, told_ms: told, held, tables: holds, claims };
}

function knownTables(list: string, replicated: readonly string[]): string[] {
  return list.split(',').map((name) => {
    if (replicated.includes(name)) return name;
    throw badQuery(`tables names "${name}", which is not replicated here`);
  });
}

function badQuery(message: string): SyncError {
  return new SyncError('bad_query', `the query is not valid: ${message}`, {
    hint: 'The parameters of /sync/changes are since, limit, node, epoch, tables, wait, full, whole, ahead, peek, rows, prompt, witness, heard, known and what the puller claims; see docs/protocol.md.',
  });
}
