import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { SyncError } from '../errors.js';
import { SNAPSHOT_HASH_HEADER, SNAPSHOT_LENGTH_HEADER } from '../wire/snapshot-format.js';
import type { FeedParts } from './feed.js';
import type { HeldSnapshot } from './snapshots.js';
import { NODE_ID } from '../wire/instance.js';

/** Read and sent at once: with the usual 64 KiB a clone on the same machine waits twice as long. */
const READ_BYTES = 256 * 1024;

/** When to ask again, in seconds, by what kept the snapshot from being served. */
const RETRY_AFTER_S: Readonly<Record<string, number>> = {
  snapshot_building: 1,
  snapshot_busy: 10,
  database_busy: 10,
};

const snapshotQuery = z.strictObject({
  node: z.string().regex(NODE_ID).optional(),
});

type SnapshotParts = Pick<FeedParts, 'snapshots' | 'node' | 'signal' | 'silenceMs'>;

/**
 * `GET /sync/snapshot`: the file that a clone starts from, whole, compressed where the client asks, or from a byte on
 * where it names the snapshot that it has begun to fetch (`if-range`).
 */
export function snapshotRoute(parts: SnapshotParts): RequestHandler {
  return async (request, response) => {
    refuseOwnNode(request, parts.node);
    const snapshot = await hold(parts, request, response);
    const cut = () => response.destroy();
    // A client that takes nothing any more would keep the file for ever.
    response.setTimeout(parts.silenceMs, cut);
    parts.signal.addEventListener('abort', cut);
    try {
      response.set({
        etag: etagOf(snapshot),
        'cache-control': 'no-store, no-transform',
        [SNAPSHOT_HASH_HEADER]: snapshot.sha256,
        [SNAPSHOT_LENGTH_HEADER]: String(snapshot.bytes),
      });
      response.type('application/vnd.sqlite3').vary('accept-encoding');
      await (wantsGzip(request) ? sendCompressed : sendFile)(snapshot, response);
    } finally {
      parts.signal.removeEventListener('abort', cut);
      snapshot.release();
    }
  };
}

async function hold(
  { snapshots }: SnapshotParts,
  request: Request,
  response: Response,
): Promise<HeldSnapshot> {
  try {
    return await snapshots.hold(/^"([^"]+)"$/.exec(request.get('if-range') ?? '')?.[1] ?? null);
  } catch (error) {
    const retryAfterS = error instanceof SyncError ? RETRY_AFTER_S[error.code] : undefined;
    if (retryAfterS !== undefined) response.set('retry-after', String(retryAfterS));
    throw error;
  }
}

function etagOf({ id }: HeldSnapshot): string {
  return `"${id}"`;
}

/** A part is a part of the file itself, never of its compressed form. */
function wantsGzip(request: Request): boolean {
  return (
    request.method === 'GET' &&
    request.get('range') === undefined &&
    request.acceptsEncodings(['gzip', 'identity']) === 'gzip'
  );
}

async function sendCompressed({ file }: HeldSnapshot, response: Response): Promise<void> {
  response.set('content-encoding', 'gzip');
  try {
    await pipeline(createReadStream(file), createGzip({ level: constants.Z_BEST_SPEED }), response);
  } catch (error) {
    if (!isCut(error)) throw error;
  }
}

/** With `range` and `if-range` as HTTP has them; 416 where the range lies behind the end. */
function sendFile({ file }: HeldSnapshot, response: Response): Promise<void> {
  // The last of them goes on to the stream that reads the file.
  const options = {
    dotfiles: 'allow',
    etag: false,
    lastModified: false,
    cacheControl: false,
    highWaterMark: READ_BYTES,
  } as const;
  return new Promise((resolve, reject) => {
    response.sendFile(file, options, (error?: NodeJS.ErrnoException) => {
      if (error === undefined || isCut(error)) resolve();
      else reject(error);
    });
  });
}

/** The client has gone, or was cut off: nobody is there to be told. */
function isCut(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return ['ECONNABORTED', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code ?? '');
}

function refuseOwnNode(request: Request, ours: string): void {
  const query = snapshotQuery.safeParse(request.query);
  if (!query.success) {
    throw new SyncError('bad_query', 'the query is not valid: the only parameter is node, a node id', {
      hint: 'The parameters of /sync/snapshot stand in docs/protocol.md.',
    });
  }
  if (query.data.node !== ours) return;
  throw new SyncError(
    'own_node',
    `the new replica is to be called "${ours}", which is the node id of this one`,
    {
      hint: 'Give the new replica another node id.',
    },
  );
}
