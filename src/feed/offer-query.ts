import { z } from 'zod';
import { SyncError } from '../errors.js';
import { MAX_CURSOR_LENGTH } from '../wire/cursor.js';
import { EPOCH, NODE_ID } from '../wire/instance.js';
import type { OfferQuery } from '../wire/offer.js';

const cursor = z.string().max(MAX_CURSOR_LENGTH, 'is too long for a cursor');

const time = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a time in ms')
  .transform(Number)
  .optional();

const offerQuery = z
  .object({
    node: z.string('must be a node id').regex(NODE_ID, 'must be a node id: letters, digits, . _ -'),
    epoch: z.string('must be an epoch').regex(EPOCH, 'must be an epoch: hex digits'),
    invalid: cursor.optional(),
    since: cursor.optional(),
    to: z.string().regex(EPOCH, 'must be an epoch: hex digits').optional(),
    pruned: z
      .string()
      .regex(/^\d{1,15}$/, 'must be a log id')
      .transform(Number)
      .optional(),
    invited: time,
    now: time,
  })
  .refine(
    ({ since, to, pruned }) => (since === undefined) === (to === undefined || pruned === undefined),
    'since, to and pruned come together',
  )
  .refine(({ since, invalid }) => since === undefined || invalid === undefined, {
    error: 'since and invalid exclude each other',
  });

/** Reads the query of `POST /sync/changes`. Throws `bad_query`. */
export function parseOfferQuery(query: unknown): OfferQuery {
  const result = offerQuery.safeParse(query);
  if (!result.success) {
    const issue = result.error.issues[0];
    const at = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')} `;
    throw new SyncError('bad_query', `the query is not valid: ${at}${issue?.message ?? 'is not valid'}`, {
      hint: 'An offer has node and epoch, and with a page since, to and pruned as the last answer gave them; see docs/protocol.md.',
    });
  }
  const { node, epoch, invalid = null, since, to, pruned, invited, now } = result.data;
  if (since === undefined || to === undefined || pruned === undefined) {
    return { node, epoch, invalid, page: null };
  }
  const clocks = invited === undefined || now === undefined ? null : { invitedMs: invited, sentMs: now };
  return { node, epoch, invalid, page: { since, to, pruned, clocks } };
}
