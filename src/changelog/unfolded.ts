import { recordColumns } from '../database/record-columns.js';
import { joinSql, statement, template } from '../sql/template.js';
import type { Changelog } from './changelog.js';
import { headOf, isRewoundFrom, newestMarkOf } from './marks.js';

/** More raw entries than this are not told apart one by one. */
const MAX_UNFOLDED = 1_000_000;

/** What was folded meanwhile is kept until the log has grown by so much: to forget each as it goes costs twice as much. */
const MOST_KEPT_IDS = 250_000;

/**
 * Notes, in a table of this connection's own, the keys whose rows were written since the last fold: their versions
 * don't describe them, so a page ends before the first of them until it is folded. The table is kept from page to page,
 * as long as the log goes on from where it was, and only what came is entered; it may hold entries that are folded by
 * now. It is there where the answer is `some`.
 */
export function hideUnfolded(changelog: Changelog, folded: number): 'none' | 'some' | 'too many' {
  const { database } = changelog;
  const any = changelog.prepare(statement('feed/any-unfolded')).get({ folded }) as { found: number };
  if (any.found === 0) return 'none';
  const width = Math.max(1, ...changelog.tables.map((table) => table.key.length));
  const columns = { recordColumns: joinSql(recordColumns(width), ', ') };
  const { keyColumns } = changelog.prepare(statement('feed/unfolded-width')).get() as { keyColumns: number };
  const { unfolded } = changelog;
  const goesOn = unfolded.noted !== null && !isRewoundFrom(database, unfolded.noted);
  const isNew = keyColumns !== width || !goesOn;
  if (isNew) {
    database.exec(statement('feed/drop-unfolded'));
    database.exec(template('feed/create-unfolded', columns));
  }
  unfolded.noted = newestMarkOf(database);
  forgetFolded(changelog, folded);
  const note = changelog.prepare(template('feed/note-unfolded', columns));
  const { changes } = note.run({ folded, limit: MAX_UNFOLDED + 1 });
  if (changes <= MAX_UNFOLDED) changelog.prepare(statement('feed/note-read')).run({ head: headOf(database) });
  // Later than the first keys, which it so takes in order.
  if (isNew) database.exec(template('feed/index-unfolded', columns));
  if (headOf(database) - folded <= MAX_UNFOLDED) return 'some';
  const counted = changelog.prepare(statement('feed/count-unfolded')).get({ folded }) as { entries: number };
  return counted.entries > MAX_UNFOLDED ? 'too many' : 'some';
}

function forgetFolded(changelog: Changelog, folded: number): void {
  const { first } = changelog.prepare(statement('feed/noted-unfolded')).get({ folded }) as { first: number };
  if (folded - first > MOST_KEPT_IDS) changelog.prepare(statement('feed/forget-unfolded')).run({ folded });
}
