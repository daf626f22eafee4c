import { isUtf8 } from 'node:buffer';

/** Text whose bytes are not clean UTF-8: JavaScript would rewrite it as a string. */
export class RawText {
  constructor(readonly bytes: Uint8Array) {}
}

/** A value as SQLite stores it: `bigint` is INTEGER, `number` REAL, `string` and `RawText` TEXT, bytes BLOB. */
export type SqlValue = null | bigint | number | string | RawText | Uint8Array;

/** A value as it stands in a page: plain JSON, or a tagged object for what JSON can't carry. */
export type WireValue =
  | null
  | number
  | string
  | { readonly $int: string }
  | { readonly $real: string }
  | { readonly $blob: string }
  | { readonly $text: string };

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** What stands for this value in a page (docs/protocol.md, "Values"). */
export function toWire(value: SqlValue): WireValue {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'bigint') {
    return value <= MAX_SAFE && value >= -MAX_SAFE ? Number(value) : { $int: value.toString() };
  }
  if (typeof value === 'number') return realToWire(value);
  if (value instanceof RawText) return { $text: Buffer.from(value.bytes).toString('base64') };
  return { $blob: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
}

/** The same as JSON text. */
export function toWireJson(value: SqlValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null) return 'null';
  if (typeof value === 'bigint' && value <= MAX_SAFE && value >= -MAX_SAFE) return value.toString();
  return JSON.stringify(toWire(value));
}

/** Undefined where this is no value that `toWire` makes. */
export function fromWire(value: unknown): SqlValue | undefined {
  if (value === null) return null;
  if (typeof value === 'string') return value.isWellFormed() ? value : undefined;
  if (typeof value === 'number') return Number.isInteger(value) ? integerFromWire(value) : value;
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  const [tag, text] = entries[0] ?? [];
  if (entries.length !== 1 || typeof text !== 'string') return undefined;
  switch (tag) {
    case '$int':
      return int64(text);
    case '$real':
      return realFromText(text);
    case '$blob':
      return base64(text);
    case '$text':
      return rawText(text);
    default:
      return undefined;
  }
}

function realToWire(value: number): WireValue {
  // JSON has no Infinity, and an integral REAL would come back as an INTEGER.
  if (Number.isFinite(value) && !Number.isInteger(value)) return value;
  if (Object.is(value, -0)) return { $real: '-0.0' };
  const text = String(value);
  return { $real: /^-?\d+$/.test(text) ? `${text}.0` : text };
}

function integerFromWire(value: number): bigint | undefined {
  return Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

function int64(text: string): bigint | undefined {
  if (!/^-?\d{1,19}$/.test(text)) return undefined;
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function realFromText(text: string): number | undefined {
  if (!/^-?(?:Infinity|\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.test(text)) return undefined;
  return Number(text);
}

function base64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}

function rawText(text: string): SqlValue | undefined {
  const bytes = base64(text);
  if (bytes === undefined) return undefined;
  // Clean text has one form only, so that the same value never has two.
  return isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : new RawText(bytes);
}
