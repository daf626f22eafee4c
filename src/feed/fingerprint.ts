import { json, Router, type Request, type Response } from 'express';
import type { StretchRequest } from '../threads/calls.js';
import type { WirePart } from '../wire/fingerprints.js';
import { addSums, EMPTY_SUM, sumFromWire, sumToWire } from '../wire/sums.js';
import type { WireValue } from '../wire/value.js';
import type { FeedParts } from './feed.js';
import { parseFingerprintQuery } from './fingerprint-query.js';
import { MAX_FOLD_WAIT_MS, settledWithin } from './settled-within.js';

/** Rows that the reading thread goes through at once, between other requests: some 20 ms. */
const STRETCH_ROWS = 2_000;

/** An answer begins no further stretch after this; the asking side goes on from where it ends. */
const MAX_READING_MS = 5_000;

/** Keys of a bound that travel in a query have to fit in it; a part never ends at a longer one (characters of JSON). */
const MAX_BOUND_LENGTH = 2_000;

/** A query with long keys comes as a body. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

type WireKey = readonly WireValue[];

/** `GET /sync/fingerprint`, and the same with a JSON body for keys that are too long for a query. */
export function fingerprintRoutes(parts: FeedParts): Router {
  const router = Router();
  const answer = async (given: unknown, response: Response): Promise<void> => {
    response.json(await answerTo(parts, given, () => response.destroyed || parts.signal.aborted));
  };
  router.get('/sync/fingerprint', (request, response) => answer(request.query, response));
  router.post('/sync/fingerprint', json({ limit: MAX_BODY_BYTES }), (request: Request, response) =>
    answer(request.body, response),
  );
  return router;
}

async function answerTo(parts: FeedParts, given: unknown, isOver: () => boolean): Promise<object> {
  const { reader, node } = parts;
  const query = parseFingerprintQuery(given);
  const from = { node, epoch: (await reader.identity()).epoch };
  switch (query.ask) {
    case 'shapes':
      return { ...from, tables: await reader.tableShapes() };
    case 'parts':
      return { ...from, ...(await readParts(parts, query.range, query, isOver)) };
    case 'list': {
      const rows = await reader.list(query.range);
      return { ...from, rows, complete: rows.length < query.range.limit };
    }
    case 'states':
      // What the app has just written is then a version, where the write lock is free.
      await settledWithin(parts.fold(), MAX_FOLD_WAIT_MS);
      return { ...from, rows: await reader.states(query.states) };
  }
}

/** Parts of so many rows each, until the range, their number or the time is over. */
async function readParts(
  { reader }: FeedParts,
  range: Omit<StretchRequest, 'limit'>,
  { rows, parts: most }: { readonly rows: number; readonly parts: number },
  isOver: () => boolean,
): Promise<{ parts: WirePart[]; complete: boolean }> {
  const deadline = performance.now() + MAX_READING_MS;
  const parts: WirePart[] = [];
  let after = range.after;
  let sum = EMPTY_SUM;
  for (;;) {
    const limit = Math.min(STRETCH_ROWS, Math.max(1, rows - sum.rows));
    const { last, ...read } = await reader.stretch({ ...range, after, limit });
    sum = addSums(sum, sumFromWire(read));
    if (last === null) return { parts: [...parts, { upto: range.upto, ...sumToWire(sum) }], complete: true };
    after = last;
    const late = performance.now() > deadline || isOver();
    if ((sum.rows < rows && !late) || isLong(last)) continue;
    parts.push({ upto: last, ...sumToWire(sum) });
    if (parts.length === most || late) return { parts, complete: false };
    sum = EMPTY_SUM;
  }
}

function isLong(key: WireKey): boolean {
  return JSON.stringify(key).length > MAX_BOUND_LENGTH;
}
