import { z } from 'zod';
import { SyncError } from '../errors.js';
import type { StatesRequest, StretchRequest } from '../threads/calls.js';
import { MAX_KEYS, MAX_LISTED_ROWS, MAX_PART_ROWS, MAX_PARTS } from '../wire/fingerprints.js';
import { fromWire, type WireValue } from '../wire/value.js';

/** What `/sync/fingerprint` is asked. */
export type FingerprintQuery =
  | { readonly ask: 'shapes' }
  | {
      readonly ask: 'parts';
      readonly range: Omit<StretchRequest, 'limit'>;
      readonly rows: number;
      readonly parts: number;
    }
  | { readonly ask: 'list'; readonly range: StretchRequest }
  | { readonly ask: 'states'; readonly states: StatesRequest };

const DEFAULT_PART_ROWS = 1_000;
const DEFAULT_PARTS = 16;
const MAX_COLUMNS = 1_000;
const MAX_KEY_COLUMNS = 8;
const MAX_NAME_LENGTH = 10_000;

const count = (max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(1, 'must be 1 or more').max(max, `must be ${max} or less`));

function json<T>(schema: z.ZodType<T>) {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);
}

const value = z.custom<WireValue>((given) => fromWire(given) !== undefined, 'holds no value of the protocol');
const key = z.array(value).min(1).max(MAX_KEY_COLUMNS);
const flag = z.enum(['0', '1']).transform((text) => text === '1');

const query = z.strictObject({
  table: z.string().min(1).max(MAX_NAME_LENGTH).optional(),
  columns: json(z.array(z.string()).max(MAX_COLUMNS)).optional(),
  after: json(key).optional(),
  upto: json(key).optional(),
  rows: count(MAX_PART_ROWS).default(DEFAULT_PART_ROWS),
  parts: count(MAX_PARTS).optional(),
  list: flag.default(false),
  keys: json(z.array(key).min(1).max(MAX_KEYS)).optional(),
  changes: flag.default(false),
});

/** Reads the query of `GET /sync/fingerprint`, or the same as the body of a POST. Throws `bad_query`. */
export function parseFingerprintQuery(given: unknown): FingerprintQuery {
  const result = query.safeParse(given);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw badQuery(`${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`.trim());
  }
  const { table, columns = null, after = null, upto = null, rows, parts, list, keys, changes } = result.data;
  if (table === undefined) {
    if (Object.keys(given as object).length > 0) throw badQuery('table is missing');
    return { ask: 'shapes' };
  }
  if (keys !== undefined) {
    if (after !== null || upto !== null || list || parts !== undefined)
      throw badQuery('keys stand for themselves, without a range');
    return { ask: 'states', states: { table, columns, keys, changes } };
  }
  if (changes) throw badQuery('changes needs keys');
  const range = { table, columns, after, upto };
  if (!list) return { ask: 'parts', range, rows, parts: parts ?? DEFAULT_PARTS };
  if (rows > MAX_LISTED_ROWS) throw badQuery(`rows must be ${MAX_LISTED_ROWS} or less in a list`);
  return { ask: 'list', range: { ...range, limit: rows } };
}

function badQuery(message: string): SyncError {
  return new SyncError('bad_query', `the query is not valid: ${message}`, {
    hint: 'The parameters of /sync/fingerprint stand in docs/protocol.md.',
  });
}
