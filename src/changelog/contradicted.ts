import { recordColumns } from '../database/record-columns.js';
import { joinSql, template } from '../sql/template.js';
import type { Changelog } from './changelog.js';

/**
 * Has the next fold read rows again whose presence contradicts their version: a REPLACE evicted them, or a trigger was
 * missing. `logIds` are those of the versions. Call inside a write transaction.
 */
export function enterContradicted(changelog: Changelog, logIds: readonly number[], nowMs: number): void {
  if (logIds.length === 0) return;
  const width = Math.max(1, ...changelog.tables.map((table) => table.key.length));
  const sql = template('fold/enter-again', { recordColumns: joinSql(recordColumns(width), ', ') });
  changelog.prepare(sql).run({ logIds: JSON.stringify(logIds), at: nowMs });
}
