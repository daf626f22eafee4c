import { recordColumns } from '../database/record-columns.js';
import { joinSql, statement, template } from '../sql/template.js';
import type { Changelog } from './changelog.js';

/** More raw entries than this are not told apart one by one. */
const MAX_UNFOLDED = 100_000;

/**
 * Notes, in a table of this connection's own, the keys whose rows were written since the last fold: their versions
 * don't describe them, so a page leaves them out until they are folded.
 */
export function hideUnfolded(changelog: Changelog, folded: number): 'none' | 'some' | 'too many' {
  const width = Math.max(1, ...changelog.tables.map((table) => table.key.length));
  const columns = { recordColumns: joinSql(recordColumns(width), ', ') };
  changelog.database.exec(template('feed/create-unfolded', columns));
  changelog.database.exec(template('feed/index-unfolded', columns));
  changelog.prepare(statement('feed/clear-unfolded')).run();
  const fill = changelog.prepare(template('feed/fill-unfolded', columns));
  const filled = fill.run({ folded, limit: MAX_UNFOLDED + 1 }).changes;
  if (filled > MAX_UNFOLDED) return 'too many';
  return filled === 0 ? 'none' : 'some';
}
