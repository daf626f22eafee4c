import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { PassThrough, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf, SyncError } from '../errors.js';
import { parseCursor, type Cursor } from '../wire/cursor.js';
import { parsePage } from '../wire/page.js';
import type { SentPage } from '../threads/calls.js';
import { Chunks } from './chunks.js';
import {
  damaged,
  foreign,
  FORMAT_NAME,
  MAX_FRAME_BYTES,
  MAX_HEADER_BYTES,
  parseFrame,
  parseHeader,
  parseTrailer,
  TRAILER_BYTES,
  UNHASHED_BYTES,
  type FileHeader,
} from './format.js';

/** Bytes that are read at a time. */
const READ_BYTES = 64 * 1024;

/** A page of a file. */
export interface FilePage extends SentPage {
  /** The cursor after it. */
  readonly next: Cursor;
  readonly isLast: boolean;
}

/** A file of changes that was read to its end, and is as it was written. */
export interface ChangesFile {
  readonly path: string;
  readonly header: FileHeader;
  readonly pages: number;
  readonly changes: number;
  readonly end: Cursor;
  /** The hash that its last line holds. */
  readonly sha256: string;
  /** Its pages, one after the other; may be called again. */
  read(): AsyncGenerator<FilePage>;
  close(): Promise<void>;
}

/**
 * Opens a file of changes and reads all of it once: checksum, pages, and that they lead on from one another. Rejects with
 * `file_damaged`, `file_foreign`, `file_unreadable` or `protocol_mismatch`. `onProgress` is told bytes.
 */
export async function openChangesFile(
  path: string,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<ChangesFile> {
  const handle = await openHandle(path);
  try {
    const { size } = await handle.stat();
    const first = await firstLine(handle, path);
    const header = parseHeader(first.text, path);
    const trailer = await checkHash(handle, path, size);
    const place = { start: first.bytes, end: size - TRAILER_BYTES - 1 };
    const read = () => readPages(handle, path, header, place, (done) => onProgress(done, size));
    const walked = await walk(read(), path);
    if (walked.pages !== trailer.pages) throw damaged(path, 'it has not as many pages as it says');
    onProgress(size, size);
    return { path, header, ...walked, sha256: trailer.sha256, read, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function walk(pages: AsyncGenerator<FilePage & { readonly changes: number }>, path: string) {
  const total = { pages: 0, changes: 0 };
  let last: FilePage | null = null;
  for await (const page of pages) {
    total.pages += 1;
    total.changes += page.changes;
    last = page;
  }
  if (last?.isLast !== true) throw damaged(path, 'its last page is missing');
  return { ...total, end: last.next };
}

async function* readPages(
  handle: FileHandle,
  path: string,
  header: FileHeader,
  { start, end }: { readonly start: number; readonly end: number },
  onProgress: (done: number) => void,
): AsyncGenerator<FilePage & { readonly changes: number }> {
  const chunks = new Chunks(unzipped(handle, path, start, end, onProgress));
  let since = header.since;
  let isLast = false;
  while (!(await chunks.isAtEnd())) {
    if (isLast) throw damaged(path, 'there are pages after the last');
    const line = await chunks.line(MAX_FRAME_BYTES);
    if (line === null) throw damaged(path, 'it breaks off between two pages');
    const { bytes, sha256 } = parseFrame(line, path);
    const body = await chunks.take(bytes);
    if (body === null) throw damaged(path, 'it breaks off within a page');
    const page = checkPage({ since, body, sha256 }, header, path);
    ({ isLast } = page);
    yield page;
    since = page.nextCursor;
  }
}

/** Reads a page, which has to be of the replica that the header names, and to lead on from the one before. */
function checkPage(sent: SentPage, header: FileHeader, path: string) {
  const { body, sha256, since } = sent;
  if (createHash('sha256').update(body).digest('hex') !== sha256)
    throw damaged(path, 'a page does not match its checksum');
  const page = pageOf(body, path);
  if (page.node !== header.node || page.epoch !== header.epoch)
    throw damaged(path, 'a page is of another replica than the file');
  const next = parseCursor(page.next_cursor);
  const before = since === '' ? 0 : (parseCursor(since)?.logId ?? Infinity);
  if (next?.epoch !== header.epoch || next.logId < before || (page.has_more && next.logId === before))
    throw damaged(path, 'its pages do not lead on from one another');
  const changes = page.changes.length;
  return { ...sent, next, nextCursor: page.next_cursor, isLast: !page.has_more, changes };
}

function pageOf(body: Uint8Array, path: string) {
  try {
    return parsePage(body);
  } catch (error) {
    if (error instanceof SyncError) throw damaged(path, error.message, error);
    throw error;
  }
}

async function* unzipped(
  handle: FileHandle,
  path: string,
  start: number,
  end: number,
  onProgress: (done: number) => void,
): AsyncGenerator<Uint8Array> {
  if (end < start) throw damaged(path, 'it has no pages');
  const out = new PassThrough();
  const source = Readable.from(bytesOf(handle, path, start, end, onProgress), { objectMode: false });
  const fed = pipeline(source, createGunzip(), out);
  fed.catch(() => undefined); // told below, once the reader has come to it
  try {
    for await (const chunk of out) yield chunk as Uint8Array;
    await fed;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw code.startsWith('Z_') ? damaged(path, messageOf(error), error) : error;
  } finally {
    out.destroy();
  }
}

/** A stream of the handle would close it at its end, and the file is read three times. */
async function* bytesOf(
  handle: FileHandle,
  path: string,
  start: number,
  end: number,
  onProgress: (done: number) => void = () => undefined,
): AsyncGenerator<Buffer> {
  for (let position = start; position <= end;) {
    const chunk = await bytesAt(handle, path, position, Math.min(READ_BYTES, end + 1 - position));
    if (chunk.length === 0) throw damaged(path, 'it became shorter while it was read');
    position += chunk.length;
    onProgress(position);
    yield chunk;
  }
}

async function firstLine(handle: FileHandle, path: string): Promise<{ text: string; bytes: number }> {
  const begins = Buffer.from(`{"file":"${FORMAT_NAME}"`);
  const start = await bytesAt(handle, path, 0, begins.length);
  if (!start.equals(begins)) throw foreign(path, 'it does not begin as a file of changes does');
  const block = await bytesAt(handle, path, 0, MAX_HEADER_BYTES);
  const end = block.indexOf(0x0a);
  if (end < 0) throw damaged(path, 'its first line has no end');
  return { text: block.toString('utf8', 0, end), bytes: end + 1 };
}

async function checkHash(handle: FileHandle, path: string, size: number) {
  const at = Math.max(0, size - TRAILER_BYTES);
  const trailer = parseTrailer(await bytesAt(handle, path, at, TRAILER_BYTES));
  if (trailer === null) throw damaged(path, 'its end is missing');
  const hash = createHash('sha256');
  for await (const chunk of bytesOf(handle, path, 0, size - UNHASHED_BYTES - 1)) hash.update(chunk);
  if (hash.digest('hex') !== trailer.sha256) throw damaged(path, 'it does not match its checksum');
  return trailer;
}

async function bytesAt(handle: FileHandle, path: string, position: number, most: number): Promise<Buffer> {
  const buffer = Buffer.alloc(most);
  let length = 0;
  try {
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, most - length, position + length);
      length += bytesRead;
      if (bytesRead === 0 || length === most) return buffer.subarray(0, length);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function openHandle(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): unknown {
  if (error instanceof SyncError) return error;
  return new SyncError('file_unreadable', `${path} can't be read: ${messageOf(error)}`, {
    hint: 'Name a file that exists and that this user may read; if it is on a stick, try another.',
    cause: error,
  });
}
