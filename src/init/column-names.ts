import type { Column, Table } from '../database/table.js';

/** Names that mark a soft-deleted row, by a time or a flag, the likeliest first. */
export const SOFT_DELETE_NAMES = [
  'deleted_at',
  'is_deleted',
  'deleted',
  'deleted_on',
  'deleted_time',
  'delete_time',
  'soft_deleted',
  'removed_at',
  'is_removed',
];

/**
 * The first column that one of the patterns names, in the order of the patterns. Case and underscores don't
 * count (`updatedAt` is `updated_at`), `*` stands for any characters. Key and generated columns are passed over.
 */
export function columnLike(table: Table, patterns: readonly string[]): Column | null {
  const candidates = table.columns.filter((column) => column.keyPosition === 0 && !column.generated);
  for (const pattern of patterns) {
    const expression = expressionOf(pattern);
    const found = candidates.find((column) => expression.test(plain(column.name)));
    if (found !== undefined) return found;
  }
  return null;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_\s-]/g, '');
}

function expressionOf(pattern: string): RegExp {
  const parts = plain(pattern)
    .split(/\*+/)
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}
