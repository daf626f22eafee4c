import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { messageOf, SyncError } from '../errors.js';
import { formatFrame, formatTrailer, trailerStart } from './format.js';

/** A page to be written. */
export interface PageOfFile {
  readonly body: Uint8Array;
  readonly sha256: string;
}

export interface WrittenFile {
  readonly pages: number;
  readonly bytes: number;
  /** The hash that its last line holds. */
  readonly sha256: string;
}

/**
 * Writes a file of changes, for its owner only: under another name first, so that at `path` there is nothing or all of it.
 * Holds a page at a time. Rejects with `file_exists`, `disk_full`, `file_unwritable`, or as the pages do.
 */
export async function writeChangesFile(
  path: string,
  header: string,
  pages: AsyncIterable<PageOfFile>,
  { force, signal }: { readonly force: boolean; readonly signal: AbortSignal },
): Promise<WrittenFile> {
  if (!force) requireFree(path);
  const unfinished = `${path}.${randomBytes(4).toString('hex')}.part`;
  const hash = createHash('sha256');
  const total = { pages: 0, bytes: 0 };
  try {
    const file = createWriteStream(unfinished, { flags: 'wx', mode: 0o600 });
    await pipeline(whole(header, pages, total, hash), file, { signal });
    await flush(unfinished);
    if (!force) requireFree(path);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw unwritable(path, error);
  }
  await flushFolder(dirname(path));
  return { ...total, sha256: hash.digest('hex') };
}

/** Header, compressed pages, trailer; hashes what it gives out. */
async function* whole(
  header: string,
  pages: AsyncIterable<PageOfFile>,
  total: { pages: number; bytes: number },
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Buffer> {
  const hashed = (chunk: Buffer): Buffer => {
    hash.update(chunk);
    total.bytes += chunk.length;
    return chunk;
  };
  yield hashed(Buffer.from(header));
  for await (const chunk of compressed(framed(pages, total))) yield hashed(chunk);
  yield hashed(Buffer.from(trailerStart(total.pages)));
  const end = formatTrailer(total.pages, hash.copy().digest('hex')).slice(trailerStart(total.pages).length);
  total.bytes += end.length;
  yield Buffer.from(end);
}

async function* framed(pages: AsyncIterable<PageOfFile>, total: { pages: number }): AsyncGenerator<Buffer> {
  for await (const { body, sha256 } of pages) {
    total.pages += 1;
    yield Buffer.from(formatFrame({ bytes: body.byteLength, sha256 }));
    yield Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  }
}

async function* compressed(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gzip: Transform = createGzip();
  // A failure of either end destroys the other, so that whoever reads here hears of it.
  const fed = pipeline(Readable.from(chunks, { objectMode: false }), gzip as Writable);
  fed.catch(() => undefined); // told below, once the reader has come to it
  for await (const chunk of gzip) yield chunk as Buffer;
  await fed;
}

function requireFree(path: string): void {
  if (!existsSync(path)) return;
  throw new SyncError('file_exists', `${path} exists already`, {
    hint: 'Overwrite it with --force, or name another with --out FILE.',
  });
}

/** A stick that is pulled out after the command has ended has all of it. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function flushFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Not every file system of a stick can flush a folder.
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR'].includes(codeOf(error))) throw unwritable(path, error);
  } finally {
    await handle.close();
  }
}

function unwritable(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new SyncError('disk_full', `${path} has no room: ${messageOf(error)}`, {
      hint: 'Nothing was left there. Make room, or name a file on another disk with --out FILE.',
      cause: error,
    });
  }
  if (['EACCES', 'EROFS', 'ENOENT', 'ENOTDIR', 'EISDIR', 'EIO', 'EPERM', 'ENOTEMPTY'].includes(code)) {
    return new SyncError('file_unwritable', `${path} can't be written: ${messageOf(error)}`, {
      hint: 'Name a file in a folder that exists and that this user may write to with --out FILE.',
      cause: error,
    });
  }
  return error;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? '';
}
