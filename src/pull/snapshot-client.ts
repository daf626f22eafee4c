import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Writable, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { Agent, request as undiciRequest, type Dispatcher } from 'undici';
import { messageOf, SyncError } from '../errors.js';
import { connectOption } from '../tls/client.js';
import { KEY_HEADER } from '../wire/http.js';
import { SNAPSHOT_HASH_HEADER, SNAPSHOT_LENGTH_HEADER } from '../wire/snapshot-format.js';
import { hashOf } from '../wire/snapshot-hash.js';
import { answerError } from './answer-error.js';
import type { HttpTarget } from './request.js';
import { unreachable } from './unreachable.js';

/** Interruptions in a row, without a byte between them, after which it is given up. */
const MAX_ATTEMPTS = 5;
const PAUSE_MS = 500;
/** How long a peer may go on saying that the snapshot is not ready. */
const MAX_WAIT_MS = 30 * 60_000;
const MAX_RETRY_AFTER_S = 30;
/** An answer that is no snapshot is shorter than this, in bytes. */
const MAX_SHORT_ANSWER_BYTES = 64 * 1024;

export interface SnapshotRequest {
  readonly target: HttpTarget;
  /** Node id of the new replica. */
  readonly node: string;
  /** Where the file is put; what is there already of the same snapshot is gone on with. */
  readonly file: string;
  /** Whether the peer is asked to compress. */
  readonly compressed: boolean;
  readonly onProgress: (received: number, total: number) => void;
  /** Told when the peer asks to wait, and when an interrupted answer is gone on with. */
  readonly onPause: (reason: string) => void;
  /** First pause after an interruption; default 0.5 s. */
  readonly pauseMs?: number;
}

export interface ReceivedSnapshot {
  readonly bytes: number;
  /** Bytes that were there before, of an earlier attempt. */
  readonly resumed: number;
}

/** The snapshot that is being fetched, as its answers call it. */
interface Wanted {
  readonly etag: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A snapshot that is there whole; its hash where all of it came in one answer. */
interface Fetched {
  readonly wanted: Wanted;
  readonly sha256: string | null;
}

/**
 * Fetches a peer's snapshot. Goes on where it was interrupted, also by the end of an earlier process, as long as the
 * peer keeps that snapshot. Rejects with `peer_unreachable`, `snapshot_damaged`, `disk_full`, or what the peer says.
 */
export async function fetchSnapshot(request: SnapshotRequest): Promise<ReceivedSnapshot> {
  const { target, file } = request;
  const agent = new Agent({
    connect: connectOption(target.connectTimeoutMs, target.tls?.current),
    bodyTimeout: target.requestTimeoutMs,
    headersTimeout: target.requestTimeoutMs,
  });
  const resumed = wantedBefore(file) === null ? 0 : sizeOf(file);
  try {
    const { wanted, sha256 } = await fetchWhole(agent, request);
    requireIntact(request, wanted, sha256 ?? (await hashOf(file)));
    return { bytes: wanted.bytes, resumed };
  } finally {
    await agent.destroy();
  }
}

async function fetchWhole(agent: Agent, request: SnapshotRequest): Promise<Fetched> {
  const { pauseMs = PAUSE_MS, file } = request;
  let failures = 0;
  for (;;) {
    const before = sizeOf(file);
    try {
      return await fetchRest(agent, request);
    } catch (error) {
      if (!(error instanceof SyncError) || error.code !== 'peer_unreachable') throw error;
      failures = sizeOf(file) > before ? 1 : failures + 1;
      if (failures >= MAX_ATTEMPTS) throw error;
      request.onPause(error.message);
      await pause(pauseMs * 2 ** (failures - 1));
    }
  }
}

/** One request; where the peer asks to wait, as many as it takes. */
async function fetchRest(agent: Agent, request: SnapshotRequest): Promise<Fetched> {
  const deadlineMs = performance.now() + MAX_WAIT_MS;
  for (;;) {
    const done = wantedBefore(request.file);
    if (done !== null && sizeOf(request.file) === done.bytes) return { wanted: done, sha256: null };
    const { answer, before } = await ask(agent, request);
    const waitS = retryAfterOf(answer);
    if (waitS !== null && performance.now() < deadlineMs) {
      await answer.body.dump();
      request.onPause(`${request.target.name} makes a snapshot, or is busy with one`);
      await pause(waitS * 1000);
      continue;
    }
    if (answer.statusCode === 416) {
      await answer.body.dump();
      forget(request.file);
      continue;
    }
    return receive(request, answer, before);
  }
}

async function ask(agent: Agent, { target, node, file, compressed }: SnapshotRequest) {
  const before = wantedBefore(file);
  const size = sizeOf(file);
  const resume = before !== null && size > 0 && size < before.bytes;
  const { signal } = new AbortController();
  try {
    const answer = await undiciRequest(`${target.address}/sync/snapshot?node=${node}`, {
      dispatcher: agent,
      headers: {
        ...(target.apiKey === null ? {} : { [KEY_HEADER]: target.apiKey }),
        ...(resume ? { range: `bytes=${size}-`, 'if-range': before.etag } : {}),
        'accept-encoding': compressed && !resume ? 'gzip' : 'identity',
      },
    });
    return { answer, before: resume ? before : null };
  } catch (error) {
    throw unreachable(error, target, signal);
  }
}

function retryAfterOf({ statusCode, headers }: Dispatcher.ResponseData): number | null {
  const seconds = Number(headers['retry-after']);
  if ((statusCode !== 429 && statusCode !== 503) || !(seconds >= 0)) return null;
  return Math.min(seconds, MAX_RETRY_AFTER_S);
}

async function receive(
  request: SnapshotRequest,
  answer: Dispatcher.ResponseData,
  before: Wanted | null,
): Promise<Fetched> {
  const { target, file } = request;
  const goesOn = answer.statusCode === 206 && before !== null;
  if (answer.statusCode !== 200 && !goesOn) throw await refusal(answer, target);
  const wanted = wantedOf(answer, target);
  const start = goesOn ? sizeOf(file) : 0;
  if (goesOn) requireSame(wanted, before, answer, start, target);
  await requireRoom(file, wanted.bytes - start);
  if (!goesOn) {
    forget(file);
    writeFileSync(noteOf(file), JSON.stringify(wanted));
  }
  const compressed = answer.headers['content-encoding'] === 'gzip';
  const parts = [answer.body as Readable, ...(compressed ? [createGunzip()] : [])];
  const hash = createHash('sha256');
  try {
    const writing = writeTo(file, { start, total: wanted.bytes }, request, (chunk) => hash.update(chunk));
    await pipeline([...parts, writing]);
  } catch (error) {
    throw interrupted(error, request);
  }
  if (sizeOf(file) < wanted.bytes) throw interrupted(new Error('it ended early'), request);
  return { wanted, sha256: goesOn ? null : hash.digest('hex') };
}

/**
 * Appends what arrives to the file, each part at once, so that an interruption loses nothing, and in half the time that
 * the threads of a file stream take. Refuses what goes on for longer than was promised, be it compressed or not.
 */
function writeTo(
  file: string,
  { start, total }: { readonly start: number; readonly total: number },
  { target, onProgress }: SnapshotRequest,
  onChunk: (chunk: Buffer) => void,
): Writable {
  const handle = openSync(file, start === 0 ? 'w' : 'a');
  let received = start;
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      if (received > total) {
        done(damaged(target, 'it is longer than it should be'));
        return;
      }
      try {
        writeFileSync(handle, chunk);
      } catch (error) {
        done(error as Error);
        return;
      }
      onChunk(chunk);
      onProgress(received, total);
      done();
    },
    destroy(error, done) {
      closeSync(handle);
      done(error);
    },
  });
}

function interrupted(error: unknown, { target, file }: SnapshotRequest): Error {
  if (error instanceof SyncError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOSPC') return noRoom(file, error);
  if (['EACCES', 'EROFS', 'ENOENT', 'EDQUOT', 'EIO'].includes(code)) {
    return new SyncError('file_unwritable', `${file} can't be written: ${messageOf(error)}`, {
      hint: 'Name a file in a folder that exists and that this user may write to with --db FILE.',
      cause: error,
    });
  }
  if (code.startsWith('Z_') && code !== 'Z_BUF_ERROR') return damaged(target, messageOf(error), error);
  return new SyncError(
    'peer_unreachable',
    `${target.name} (${target.address}) stopped in the middle of the snapshot: ${messageOf(error)}`,
    {
      hint: 'Run the same command again: it goes on where it stopped, if the peer still keeps that snapshot.',
      cause: error,
    },
  );
}

function wantedOf({ headers }: Dispatcher.ResponseData, target: HttpTarget): Wanted {
  const { etag, [SNAPSHOT_HASH_HEADER]: sha256, [SNAPSHOT_LENGTH_HEADER]: length } = headers;
  const bytes = Number(length);
  const sound =
    typeof etag === 'string' && typeof sha256 === 'string' && Number.isSafeInteger(bytes) && bytes > 0;
  if (sound && /^"[^"]{1,200}"$/.test(etag) && /^[0-9a-f]{64}$/.test(sha256)) return { etag, bytes, sha256 };
  throw new SyncError('not_a_replica', `what answers at ${target.address} gives no snapshot`, {
    hint: 'Correct the address; does another program listen there?',
  });
}

function requireSame(
  wanted: Wanted,
  before: Wanted,
  { headers }: Dispatcher.ResponseData,
  start: number,
  target: HttpTarget,
): void {
  const range = `bytes ${start}-${wanted.bytes - 1}/${wanted.bytes}`;
  if (JSON.stringify(wanted) === JSON.stringify(before) && headers['content-range'] === range) return;
  throw damaged(target, 'it goes on with something else than was asked for');
}

async function refusal(answer: Dispatcher.ResponseData, target: HttpTarget): Promise<SyncError> {
  let body = Buffer.alloc(0);
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    body = Buffer.concat([body, chunk]);
    if (body.length > MAX_SHORT_ANSWER_BYTES) break;
  }
  return answerError({ status: answer.statusCode, headers: answer.headers, body }, target);
}

function requireIntact({ file, target }: SnapshotRequest, wanted: Wanted, sha256: string): void {
  if (sha256 === wanted.sha256) return;
  forget(file);
  throw damaged(target, 'it does not match its checksum');
}

function damaged({ name, address }: HttpTarget, why: string, cause?: unknown): SyncError {
  return new SyncError('snapshot_damaged', `the snapshot of ${name} (${address}) arrived damaged: ${why}`, {
    hint: 'Run clone again; if it stays so, something on the way changes answers.',
    cause,
  });
}

async function requireRoom(file: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(file));
  if (bavail * bsize < bytes) throw noRoom(file, undefined);
}

function noRoom(file: string, cause: unknown): SyncError {
  return new SyncError('disk_full', `There is no room for the snapshot in ${dirname(file)}.`, {
    hint: 'Make room on that disk, or name a file on another one with --db FILE.',
    cause,
  });
}

/** What is known of a file that was begun; null where nothing is. */
function wantedBefore(file: string): Wanted | null {
  try {
    const note = JSON.parse(readFileSync(noteOf(file), 'utf8')) as Partial<Wanted> | null;
    const { etag, bytes, sha256 } = note ?? {};
    if (etag === undefined || bytes === undefined || sha256 === undefined) return null;
    return { etag, bytes, sha256 };
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Removes what there is of a snapshot. */
export function forget(file: string): void {
  takeOver(file);
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
}

/** To be called before the file is changed: it is no longer what was fetched. */
export function takeOver(file: string): void {
  rmSync(noteOf(file), { force: true });
}

function noteOf(file: string): string {
  return `${file}.json`;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
