import { recordColumns } from '../database/record-columns.js';
import { fragment, joinSql, statement, template } from '../sql/template.js';
import type { Changelog } from './changelog.js';

/** More raw entries than this are not told apart one by one. */
const MAX_UNFOLDED = 100_000;

/**
 * Notes, in a table of this connection's own, the keys whose rows were written since the last fold: their versions
 * don't describe them, so a page ends before the first of them until it is folded. The table is there where the answer is `some`.
 */
export function hideUnfolded(changelog: Changelog, folded: number): 'none' | 'some' | 'too many' {
  const { database } = changelog;
  const any = changelog.prepare(statement('feed/any-unfolded')).get({ folded }) as { found: number };
  if (any.found === 0) return 'none';
  const width = Math.max(1, ...changelog.tables.map((table) => table.key.length));
  const columns = joinSql(recordColumns(width), ', ');
  database.exec(statement('feed/drop-unfolded'));
  database.exec(
    template('feed/create-unfolded', {
      recordColumns: columns,
      folded: fragment(String(folded)),
      limit: fragment(String(MAX_UNFOLDED + 1)),
    }),
  );
  const { entries } = database.prepare(statement('feed/count-unfolded')).get() as { entries: number };
  if (entries > MAX_UNFOLDED) return 'too many';
  database.exec(template('feed/index-unfolded', { recordColumns: columns }));
  return 'some';
}
