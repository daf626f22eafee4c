import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { brotliDecompress, constants, gunzip } from 'node:zlib';
import { Agent, request as undiciRequest, type Dispatcher } from 'undici';
import { SyncError } from '../errors.js';
import { KEY_HEADER, MAX_RESPONSE_BYTES } from '../wire/http.js';
import { withDeadline } from './deadline.js';
import { unreachable } from './unreachable.js';

export interface HttpTarget {
  /** How errors name the other side, e.g. `macbook`. */
  readonly name: string;
  /** Base URL without a trailing slash. */
  readonly address: string;
  /** Sent with every request; null: none. */
  readonly apiKey: string | null;
  readonly connectTimeoutMs: number;
  /** Of silence, before and within the answer. */
  readonly requestTimeoutMs: number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  /** JSON of a POST. */
  readonly body?: object;
  /** JSON of a POST as it is, instead of `body`. */
  readonly raw?: RawBody;
  /** The answer may come compressed; default: it does. */
  readonly compressed?: boolean;
  /** The other side may hold the request for this long, on top of the request timeout. */
  readonly waitMs?: number;
}

export interface RawBody {
  readonly bytes: Uint8Array;
  /** Besides its type and length. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Decompressed. */
  readonly body: Buffer;
}

export interface HttpConnection {
  readonly target: HttpTarget;
  /** Any status is an answer. Rejects with `peer_unreachable` or `page_damaged`, or with the signal's reason. */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
  /** Ends open requests and connections. */
  close(): Promise<void>;
}

/** A peer that answers a byte now and then is never silent: an answer must be complete within this. */
const MAX_ANSWER_MS = 10 * 60_000;
/** An answer that is no page is shorter than this, in bytes; a longer one is not parsed. */
const MAX_SHORT_ANSWER_BYTES = 64 * 1024;
/** One for the pull and one for a probe; a replica needs no more. */
const MAX_CONNECTIONS = 2;

const PIECE_BYTES = 64 * 1024;

const gunzipped = promisify<Buffer, object, Buffer>(gunzip);
const unbrotli = promisify<Buffer, object, Buffer>(brotliDecompress);

/** Connections to one other replica, with a bound on every size and time. */
export function openConnection(target: HttpTarget): HttpConnection {
  const agent = new Agent({
    connect: { timeout: target.connectTimeoutMs },
    connections: MAX_CONNECTIONS,
    bodyTimeout: target.requestTimeoutMs,
    maxResponseSize: MAX_RESPONSE_BYTES,
  });
  return {
    target,
    send: (request, signal) =>
      withDeadline(signal, MAX_ANSWER_MS + (request.waitMs ?? 0), (deadline) =>
        send(agent, target, request, deadline),
      ),
    close: () => agent.destroy(),
  };
}

/** The JSON of a short answer; undefined where it is none. */
export function shortJson({ body }: HttpAnswer): unknown {
  if (body.length > MAX_SHORT_ANSWER_BYTES) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // Another program's answer, which the caller reports as such.
    return undefined;
  }
}

async function send(
  dispatcher: Dispatcher,
  target: HttpTarget,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  let answer: Dispatcher.ResponseData;
  let raw: Buffer;
  try {
    answer = await undiciRequest(target.address + request.path, {
      dispatcher,
      signal,
      method: request.method,
      headers: headersOf(target, request),
      body: bodyOf(request),
      headersTimeout: target.requestTimeoutMs + (request.waitMs ?? 0),
    });
    raw = Buffer.from(await answer.body.arrayBuffer());
  } catch (error) {
    throw unreachable(error, target, signal);
  }
  const body = await decoded(raw, answer.headers['content-encoding'], target);
  return { status: answer.statusCode, headers: answer.headers, body };
}

/** Bytes go piece by piece: the time of silence counts from the last that the other side took. */
function bodyOf({ body, raw }: HttpRequest): Readable | string | null {
  if (raw !== undefined) return Readable.from(piecesOf(raw.bytes), { objectMode: false });
  return body === undefined ? null : JSON.stringify(body);
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

function headersOf(target: HttpTarget, request: HttpRequest): Record<string, string> {
  return {
    accept: 'application/json',
    'accept-encoding': request.compressed === false ? 'identity' : Object.keys(UNPACK).join(', '),
    ...(target.apiKey === null ? {} : { [KEY_HEADER]: target.apiKey }),
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(request.raw === undefined ? {} : rawHeaders(request.raw)),
  };
}

function rawHeaders({ bytes, headers }: RawBody): Record<string, string> {
  return { 'content-type': 'application/json', 'content-length': String(bytes.length), ...headers };
}

/** By content-encoding, the preferred one first. */
const UNPACK: Readonly<Record<string, (raw: Buffer) => Promise<Buffer>>> = {
  br: (raw) => unbrotli(raw, { maxOutputLength: MAX_RESPONSE_BYTES }),
  gzip: (raw) => gunzipped(raw, { maxOutputLength: MAX_RESPONSE_BYTES, finishFlush: constants.Z_FINISH }),
};

/** Decompression ends at the same size as the answer itself: a bomb costs that, and no more. */
async function decoded(
  raw: Buffer,
  encoding: string | string[] | undefined,
  target: HttpTarget,
): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') return raw;
  try {
    const unpack = typeof encoding === 'string' ? UNPACK[encoding] : undefined;
    if (unpack === undefined) throw new Error(`content-encoding ${String(encoding)} was not asked for`);
    return await unpack(raw);
  } catch (cause) {
    throw new SyncError(
      'page_damaged',
      `the answer of ${target.name} (${target.address}) can't be decompressed`,
      {
        hint: 'It was discarded and will be asked for again.',
        cause,
      },
    );
  }
}
