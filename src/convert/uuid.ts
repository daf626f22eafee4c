import { createHash, randomBytes } from 'node:crypto';
import { fragment, literal, template, type Sql } from '../sql/template.js';

/** `shared`: the same table and key give the same UUID in every database. `own`: random. */
export type IdKind = 'shared' | 'own';

const LOW_BITS = (1n << 48n) - 1n;

/**
 * The new keys of one table: as SQL, for all of them, and one by one, for those that stand in the schema.
 *
 * A shared UUID is of version 8: 58 bits of SHA-256 of the table's name in lower case, and all 64 bits of the old key. So
 * two copies agree whatever else differs in them, no two keys meet, the order stays, and SQLite can compute it by itself.
 */
export interface NewKeys {
  /** Over the columns `old` and `place` (1, 2, ...). */
  readonly sql: Sql;
  /** The same whenever it is asked for. */
  of(old: bigint): string;
}

export function newKeys(kind: IdKind, table: string, nowMs: number): NewKeys {
  return kind === 'shared' ? sharedKeys(table) : ownKeys(nowMs);
}

function sharedKeys(table: string): NewKeys {
  const hash = createHash('sha256')
    .update(`shared id of sqlite-p2p-sync\0${table.toLowerCase()}`)
    .digest('hex');
  const variant = '89ab'.charAt(Number.parseInt(hash.charAt(14), 16) & 3);
  const [first, second, third] = [hash.slice(0, 8), hash.slice(8, 11), hash.slice(11, 14)];
  const format = `${first}-%04x-8${second}-${variant}${third}-%012x`;
  return {
    sql: template('convert/shared-uuid', { format: literal(format) }),
    of(old) {
      const bits = BigInt.asUintN(64, old);
      const high = (bits >> 48n).toString(16).padStart(4, '0');
      const low = (bits & LOW_BITS).toString(16).padStart(12, '0');
      return `${first}-${high}-8${second}-${variant}${third}-${low}`;
    },
  };
}

function ownKeys(nowMs: number): NewKeys {
  const drawn = new Map<bigint, string>();
  return {
    sql: template('convert/own-uuid', { ms: fragment(String(nowMs)) }),
    of(old) {
      const known = drawn.get(old);
      if (known !== undefined) return known;
      const random = randomBytes(10).toString('hex');
      const time = nowMs.toString(16).padStart(12, '0');
      const variant = '89ab'.charAt(Number.parseInt(random.charAt(3), 16) & 3);
      const key = `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`;
      drawn.set(old, key);
      return key;
    },
  };
}
