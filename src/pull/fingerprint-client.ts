import { SyncError } from '../errors.js';
import {
  keyToWire,
  MAX_LISTED_ROWS,
  MAX_PARTS,
  parseList,
  parseParts,
  parseShapes,
  parseStates,
  type Part,
  type Shapes,
  type StateWithChange,
} from '../wire/fingerprints.js';
import type { FoundRow } from '../wire/found-row.js';
import type { SqlValue } from '../wire/value.js';
import { answerError } from './answer-error.js';
import type { Attempts } from './attempts.js';
import type { HttpConnection, HttpRequest } from './request.js';

type Key = readonly SqlValue[];

/** A range of a table's keys at the peer. */
export interface PeerRange {
  readonly table: string;
  /** The columns whose content counts. */
  readonly columns: readonly string[];
  readonly after: Key | null;
  readonly upto: Key | null;
}

/** What a peer's rows are, asked for without pulling them. Every failure is a SyncError. */
export interface FingerprintClient {
  /** Requests made so far. */
  readonly requests: number;
  shapes(): Promise<Shapes>;
  /** Parts of so many rows each; not `complete` where they end before the range does. */
  parts(range: PeerRange, rows: number): Promise<{ parts: readonly Part[]; complete: boolean }>;
  /** The first rows of a range, one by one. */
  list(range: PeerRange): Promise<{ rows: readonly FoundRow[]; complete: boolean }>;
  /** How rows stand, with `changes` the rows themselves too; then it may be the first of them only. */
  states(
    table: string,
    columns: readonly string[],
    keys: readonly Key[],
    changes: boolean,
  ): Promise<readonly StateWithChange[]>;
}

/** A query longer than this goes as a body (characters). */
const MAX_QUERY_LENGTH = 6_000;

const PATH = '/sync/fingerprint';

export function createFingerprintClient(
  connection: HttpConnection,
  attempts: Attempts,
  signal: AbortSignal,
): FingerprintClient {
  let requests = 0;
  const ask = async (query: Readonly<Record<string, string>>): Promise<unknown> => {
    requests += 1;
    const request = requestOf(query);
    const answer = await attempts.run(async () => {
      const got = await connection.send(request, signal);
      if (got.status !== 200) throw answerError(got, connection.target);
      return got;
    }, signal);
    try {
      return JSON.parse(answer.body.toString('utf8'));
    } catch (cause) {
      throw new SyncError('answer_damaged', `${connection.target.name} gave no readable fingerprints`, {
        hint: 'Install the same version of sqlite-p2p-sync on both.',
        cause,
      });
    }
  };
  return {
    get requests() {
      return requests;
    },
    shapes: async () => parseShapes(await ask({})),
    parts: async (range, rows) =>
      parseParts(await ask({ ...rangeQuery(range), rows: String(rows), parts: String(MAX_PARTS) })),
    list: async (range) =>
      parseList(await ask({ ...rangeQuery(range), list: '1', rows: String(MAX_LISTED_ROWS) })),
    states: async (table, columns, keys, changes) =>
      parseStates(
        await ask({
          table,
          columns: JSON.stringify(columns),
          keys: JSON.stringify(keys.map(keyToWire)),
          ...(changes ? { changes: '1' } : {}),
        }),
      ),
  };
}

function rangeQuery({ table, columns, after, upto }: PeerRange): Record<string, string> {
  return {
    table,
    columns: JSON.stringify(columns),
    ...(after === null ? {} : { after: JSON.stringify(keyToWire(after)) }),
    ...(upto === null ? {} : { upto: JSON.stringify(keyToWire(upto)) }),
  };
}

function requestOf(query: Readonly<Record<string, string>>): HttpRequest {
  const text = new URLSearchParams(query).toString();
  if (text.length > MAX_QUERY_LENGTH) return { method: 'POST', path: PATH, body: query };
  return { method: 'GET', path: text === '' ? PATH : `${PATH}?${text}` };
}
