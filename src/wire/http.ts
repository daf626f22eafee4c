/** What both ends of an exchange over HTTP must agree on (docs/protocol.md). */

/** Lower-case hex SHA-256 of the uncompressed page. */
export const PAGE_HASH_HEADER = 'x-page-sha256';

/** The page's `next_cursor`, where it says that there is more: the next one can be asked for before this one is read. */
export const NEXT_CURSOR_HEADER = 'x-next-cursor';

/** Lower-case hex SHA-256 of the path with its query: what a puller says of itself must not be damaged on its way. */
export const REQUEST_HASH_HEADER = 'x-request-sha256';

/** The sender's clock when it answered, ms since 1970; a held request is answered long after it was sent. */
export const SERVER_TIME_HEADER = 'x-server-time-ms';

export const KEY_HEADER = 'x-api-key';

/** Changes of one page. */
export const MAX_PAGE_CHANGES = 10_000;
export const DEFAULT_PAGE_CHANGES = 1000;

/** An answer that is promised to be short has no more bytes. */
export const MAX_SHORT_ANSWER_BYTES = 64 * 1024;

/** A page that goes with the answer to a question has no more changes, and no more bytes, which is a short answer. */
export const MAX_GIVEN_CHANGES = 100;
export const MAX_GIVEN_BYTES = MAX_SHORT_ANSWER_BYTES;

/** How long a request may be held until there is something, in seconds. */
export const MAX_WAIT_S = 60;

/** An answer larger than this, before or after decompression, is no page. */
export const MAX_RESPONSE_BYTES = 96 * 1024 * 1024;

/** The body of every answer that is not a success. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string | undefined };
}

/** `GET /sync/changes` with `peek=1`, unless the page itself is the answer (`rows=own`). */
export interface NewsBody {
  /** Whether a page is to be asked for; false: there was nothing for as long as the request was held. */
  readonly news: boolean;
}

/** `GET /health`. */
export interface HealthBody {
  readonly status: 'ok' | 'unavailable';
  readonly node: string;
  readonly version: string;
  readonly protocol: number;
  /** Absent where the database can't be used. */
  readonly epoch?: string;
  readonly server_time_ms: number;
  /** With discovery on, and a challenge in the request: a proof of each key that is accepted (key-proof.ts). */
  readonly proofs?: readonly string[];
}
