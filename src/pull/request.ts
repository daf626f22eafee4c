import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { brotliDecompress, constants, gunzip } from 'node:zlib';
import { Agent, errors, request as undiciRequest, type Dispatcher } from 'undici';
import { SyncError } from '../errors.js';
import { connectOption, type TlsSource } from '../tls/client.js';
import { KEY_HEADER, MAX_RESPONSE_BYTES, MAX_SHORT_ANSWER_BYTES } from '../wire/http.js';
import { orAborted, withDeadline } from './deadline.js';
import { unreachable } from './unreachable.js';

export interface HttpTarget {
  /** How errors name the other side, e.g. `macbook`. */
  readonly name: string;
  /** Base URL without a trailing slash. */
  readonly address: string;
  /** Sent with every request; null: none. */
  readonly apiKey: string | null;
  /** Sent with every request too, as they are then. */
  readonly headers?: () => Readonly<Record<string, string>>;
  readonly connectTimeoutMs: number;
  /** Of silence, before and within the answer. */
  readonly requestTimeoutMs: number;
  /** For an `https://` address; none: what Node trusts, and no certificate of ours. */
  readonly tls?: TlsSource | null;
  /** What the certificate there may name in place of the host of the address; default: nothing else. */
  readonly alsoNamed?: readonly string[];
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  /** JSON of a POST. */
  readonly body?: object;
  /** JSON of a POST as it is, instead of `body`. */
  readonly raw?: RawBody;
  /** Beside those that every request has. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer may come compressed; default: it does. */
  readonly compressed?: boolean;
  /** The answer fits in `MAX_SHORT_ANSWER_BYTES` and is complete within the request timeout, or it is none. */
  readonly short?: boolean;
  /** The other side may hold the request for this long, on top of the request timeout. */
  readonly waitMs?: number;
  /** A question that the other side holds: it has a connection of its own, and a short answer. */
  readonly held?: boolean;
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
/** A peer that asks for a longer pause is left to the attempts. */
const MAX_RETRY_AFTER_S = 5;
/** Pauses in a row for one request. */
const MAX_RATE_WAITS = 10;
/** One for the pull and one for a probe; a replica needs no more, but for a question that is held. */
const MAX_CONNECTIONS = 2;

const PIECE_BYTES = 64 * 1024;

const gunzipped = promisify<Buffer, object, Buffer>(gunzip);
const unbrotli = promisify<Buffer, object, Buffer>(brotliDecompress);

/** Connections to one other replica, with a bound on every size and time. */
export function openConnection(target: HttpTarget): HttpConnection {
  let tls = target.tls?.current;
  let agents = openAgents(target);
  /** A connection that is open goes on with the certificates that it was opened with; new ones take those of now. */
  function agentsOfNow(): Agents {
    if (tls === target.tls?.current) return agents;
    tls = target.tls?.current;
    // They end by themselves once their requests are answered.
    for (const agent of Object.values(agents)) void agent.close();
    agents = openAgents(target);
    return agents;
  }
  return {
    target,
    send: (request, signal) =>
      withDeadline(signal, longestMs(target, request), (deadline) => {
        const { pages, questions } = agentsOfNow();
        return sendAtTheirRate(request.held === true ? questions : pages, target, request, deadline);
      }),
    async close() {
      await Promise.all(Object.values(agents).map((agent) => agent.destroy()));
    },
  };
}

function longestMs(target: HttpTarget, { short, waitMs }: HttpRequest): number {
  return (short === true ? target.connectTimeoutMs + target.requestTimeoutMs : MAX_ANSWER_MS) + (waitMs ?? 0);
}

/** The connections to one replica. */
interface Agents extends Readonly<Record<string, Agent>> {
  readonly pages: Agent;
  /** For a question that is held. */
  readonly questions: Agent;
}

function openAgents(target: HttpTarget): Agents {
  const options = {
    connect: connectOption(target.connectTimeoutMs, target.tls?.current, target.alsoNamed),
    connections: MAX_CONNECTIONS,
    bodyTimeout: target.requestTimeoutMs,
    maxResponseSize: MAX_RESPONSE_BYTES,
  };
  return {
    pages: new Agent(options),
    questions: new Agent({ ...options, connections: 1, maxResponseSize: MAX_SHORT_ANSWER_BYTES }),
  };
}

/** A peer that is asked too often says when to ask again, which is no failure. */
async function sendAtTheirRate(
  agent: Agent,
  target: HttpTarget,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  for (let waits = 0; ; waits += 1) {
    const answer = await send(agent, target, request, signal);
    const waitS = answer.status === 429 ? Number(answer.headers['retry-after']) : NaN;
    if (!(waitS >= 0 && waitS <= MAX_RETRY_AFTER_S) || waits === MAX_RATE_WAITS) return answer;
    await orAborted(pause(waitS * 1000, undefined, { ref: false }), signal);
  }
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
  let raw: Buffer | null;
  let limit: number;
  try {
    answer = await undiciRequest(target.address + request.path, {
      dispatcher,
      signal,
      method: request.method,
      headers: headersOf(target, request),
      body: bodyOf(request),
      headersTimeout: target.requestTimeoutMs + (request.waitMs ?? 0),
    });
    const isLong = answer.statusCode < 300 && request.short !== true;
    limit = isLong ? MAX_RESPONSE_BYTES : MAX_SHORT_ANSWER_BYTES;
    raw = await readUpTo(limit, answer.body);
    if (raw === null && answer.statusCode < 300) throw new errors.ResponseExceededMaxSizeError();
  } catch (error) {
    throw unreachable(error, target, signal);
  }
  // The status of a refusal says enough.
  const body =
    raw === null
      ? Buffer.alloc(0)
      : await decoded({ raw, encoding: answer.headers['content-encoding'], limit }, target);
  return { status: answer.statusCode, headers: answer.headers, body };
}

/** Null where there is more than `limit` bytes; what follows is not read then, and the connection is closed. */
async function readUpTo(limit: number, body: AsyncIterable<unknown>): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
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
    ...request.headers,
    ...target.headers?.(),
    ...(target.apiKey === null ? {} : { [KEY_HEADER]: target.apiKey }),
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(request.raw === undefined ? {} : rawHeaders(request.raw)),
  };
}

function rawHeaders({ bytes, headers }: RawBody): Record<string, string> {
  return { 'content-type': 'application/json', 'content-length': String(bytes.length), ...headers };
}

/** By content-encoding, the preferred one first. */
const UNPACK: Readonly<Record<string, (raw: Buffer, maxOutputLength: number) => Promise<Buffer>>> = {
  br: (raw, maxOutputLength) => unbrotli(raw, { maxOutputLength }),
  gzip: (raw, maxOutputLength) => gunzipped(raw, { maxOutputLength, finishFlush: constants.Z_FINISH }),
};

interface Packed {
  readonly raw: Buffer;
  readonly encoding: string | string[] | undefined;
  /** Bytes that it may unpack to. */
  readonly limit: number;
}

/** Decompression ends at the same size as the answer itself: a bomb costs that, and no more. */
async function decoded({ raw, encoding, limit }: Packed, target: HttpTarget): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') return raw;
  try {
    const known = typeof encoding === 'string' && Object.hasOwn(UNPACK, encoding);
    const unpack = known ? UNPACK[encoding] : undefined;
    if (unpack === undefined) throw new Error(`content-encoding ${String(encoding)} was not asked for`);
    return await unpack(raw, limit);
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
