import { z } from 'zod';
import { SyncError } from '../errors.js';
import { MAX_CURSOR_LENGTH } from '../wire/cursor.js';
import { EPOCH, NODE_ID } from '../wire/instance.js';
import { memberSchema, type Claims } from '../wire/members.js';
import { PROTOCOL } from '../wire/page.js';

/*
 * A file of changes (docs/protocol.md): a line of JSON, the pages compressed by gzip, and a line of JSON of a fixed length.
 * The last line holds the SHA-256 of every byte before that hash, so no bit of the file can differ unseen.
 */

/** What the first line begins with. */
export const FORMAT_NAME = 'sqlite-p2p-sync-changes';
/** Raised when an older release could not read what a newer one writes. */
export const FORMAT = 1;

/** Bytes of the first line; claims and tables of the largest group fit. */
export const MAX_HEADER_BYTES = 1024 * 1024;
/** Bytes of a page; what a puller takes of one answer. */
export const MAX_PAGE_FILE_BYTES = 96 * 1024 * 1024;
/** Bytes of the line before a page. */
export const MAX_FRAME_BYTES = 200;

const COUNT_DIGITS = 12;

export interface FileHeader {
  readonly file: typeof FORMAT_NAME;
  readonly format: number;
  readonly protocol: number;
  readonly node: string;
  readonly epoch: string;
  /** When the claims of the replica that wrote it began (docs/protocol.md, "Claims"). */
  readonly born_ms: number;
  /** The cursor that the first page begins at; empty: the start. */
  readonly since: string;
  /** ms since 1970, by the clock of the replica that wrote it. */
  readonly created_ms: number;
  /** Names of the replicated tables. */
  readonly tables: readonly string[];
  /** What that replica had of others before it read the first page. */
  readonly claims: Claims;
}

const formatOnly = z.object({ file: z.literal(FORMAT_NAME), format: z.number(), protocol: z.number() });

const header = z.strictObject({
  file: z.literal(FORMAT_NAME),
  format: z.literal(FORMAT),
  protocol: z.literal(PROTOCOL),
  node: z.string().regex(NODE_ID),
  epoch: z.string().regex(EPOCH),
  born_ms: memberSchema.shape.born_ms,
  since: z.string().max(MAX_CURSOR_LENGTH),
  created_ms: memberSchema.shape.told_ms,
  tables: z.array(z.string()),
  claims: memberSchema.shape.claims,
});

export function formatHeader(value: Omit<FileHeader, 'file' | 'format' | 'protocol'>): string {
  return `${JSON.stringify({ file: FORMAT_NAME, format: FORMAT, protocol: PROTOCOL, ...value })}\n`;
}

/** Reads the first line. Throws `file_foreign` where it is none of ours, `protocol_mismatch` where of another release. */
export function parseHeader(line: string, path: string): FileHeader {
  const json = jsonOf(line);
  const found = formatOnly.safeParse(json).data;
  if (found === undefined) throw foreign(path, 'it does not begin as a file of changes does');
  if (found.format !== FORMAT || found.protocol !== PROTOCOL) {
    const theirs = `format ${found.format}, protocol ${found.protocol}`;
    throw new SyncError(
      'protocol_mismatch',
      `${path} is of ${theirs}; this replica reads format ${FORMAT}, protocol ${PROTOCOL}`,
      { hint: 'Install the same version of sqlite-p2p-sync on both, and export again.' },
    );
  }
  const { data } = header.safeParse(json);
  if (data === undefined) throw damaged(path, 'its first line is not as it should be');
  return data;
}

const frame = z.strictObject({
  bytes: z.number().int().positive().max(MAX_PAGE_FILE_BYTES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What stands before each page. */
export type Frame = z.infer<typeof frame>;

export function formatFrame({ bytes, sha256 }: Frame): string {
  return `${JSON.stringify({ bytes, sha256 })}\n`;
}

export function parseFrame(line: string, path: string): Frame {
  const { data } = frame.safeParse(jsonOf(line));
  if (data === undefined) throw damaged(path, 'a page has no length and checksum');
  return data;
}

/** The last line up to its hash, which is of everything before the hash, this part too. */
export function trailerStart(pages: number): string {
  return `{"pages":${String(pages).padStart(COUNT_DIGITS)},"sha256":"`;
}

const TRAILER_END = '"}\n';
const SHA256_DIGITS = 64;

export function formatTrailer(pages: number, sha256: string): string {
  return `${trailerStart(pages)}${sha256}${TRAILER_END}`;
}

export const TRAILER_BYTES = formatTrailer(0, '0'.repeat(SHA256_DIGITS)).length;
/** Bytes at the end that the hash is not of. */
export const UNHASHED_BYTES = SHA256_DIGITS + TRAILER_END.length;

/** Null where these bytes are no trailer, to the last bit. */
export function parseTrailer(bytes: Uint8Array): { readonly pages: number; readonly sha256: string } | null {
  const text = Buffer.from(bytes).toString('latin1');
  const [, count, sha256] = /^\{"pages":( *\d+),"sha256":"([0-9a-f]{64})"\}\n$/.exec(text) ?? [];
  if (count === undefined || sha256 === undefined) return null;
  const pages = Number(count);
  return formatTrailer(pages, sha256) === text ? { pages, sha256 } : null;
}

export function damaged(path: string, why: string, cause?: unknown): SyncError {
  return new SyncError('file_damaged', `${path} is damaged or incomplete: ${why}`, {
    hint: 'Nothing of it was applied. Copy it again, or export it again where it was made.',
    cause,
  });
}

export function foreign(path: string, why: string): SyncError {
  return new SyncError('file_foreign', `${path} is no file of changes for this replica: ${why}`, {
    hint: 'Nothing of it was applied. Name a file that sqlite-p2p-sync export has written.',
  });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
