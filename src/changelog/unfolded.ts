import { recordColumns } from '../database/record-columns.js';
import { joinSql, statement, template } from '../sql/template.js';
import type { Changelog } from './changelog.js';
import { headOf } from './marks.js';

/** More raw entries than this are not told apart one by one. */
const MAX_UNFOLDED = 1_000_000;

/**
 * Notes, in a table of this connection's own, the keys whose rows were written since the last fold: their versions
 * don't describe them, so a page ends before the first of them until it is folded. The table is kept from page to page,
 * and only what came and went is entered. It is there where the answer is `some`.
 */
export function hideUnfolded(changelog: Changelog, folded: number): 'none' | 'some' | 'too many' {
  const { database } = changelog;
  const any = changelog.prepare(statement('feed/any-unfolded')).get({ folded }) as { found: number };
  if (any.found === 0) return 'none';
  const width = Math.max(1, ...changelog.tables.map((table) => table.key.length));
  const columns = { recordColumns: joinSql(recordColumns(width), ', ') };
  const { keyColumns } = changelog.prepare(statement('feed/unfolded-width')).get() as { keyColumns: number };
  if (keyColumns !== width) {
    database.exec(statement('feed/drop-unfolded'));
    database.exec(template('feed/create-unfolded', columns));
  }
  // Also what a log that was rewound has no more.
  changelog.prepare(statement('feed/forget-unfolded')).run({ folded, head: headOf(database) });
  const note = changelog.prepare(template('feed/note-unfolded', columns));
  note.run({ folded, limit: MAX_UNFOLDED + 1 });
  const { entries } = changelog.prepare(statement('feed/count-unfolded')).get() as { entries: number };
  return entries > MAX_UNFOLDED ? 'too many' : 'some';
}
