import { template } from '../sql/template.js';
import { MAX_GIVEN_BYTES, MAX_GIVEN_CHANGES } from '../wire/http.js';
import { instanceOf } from '../wire/instance.js';
import { readReplica, type Changelog } from './changelog.js';
import type { Had } from './had.js';
import { buildPage, type BuiltPage, type Entry, type PageQuery } from './page.js';

/** What a look has found out about who asks, and found for it. */
interface Asking {
  /** The place of its cursor. */
  readonly place: number;
  readonly had: Had;
  /** The entries after it, one more than may be given at most. */
  readonly entries: readonly Entry[];
}

/**
 * The page that can go with the answer to a question, where there is news; null where it has to be asked for. It has all
 * that there is, is short, and holds only what this instance authored: what the puller may have got from others since it
 * asked is not in it. Call in a transaction. Throws as `buildPage` does.
 */
export function givenPage(changelog: Changelog, query: PageQuery, asking: Asking): BuiltPage | null {
  const [last = 0] = asking.entries.at(-1) ?? [];
  if (asking.entries.length > MAX_GIVEN_CHANGES || !isOwn(changelog, asking, last)) return null;
  const page = buildPage(changelog, { ...query, limit: Math.min(query.limit, MAX_GIVEN_CHANGES) });
  const isAll = page.changes > 0 && !page.hasMore && !page.waitsForFold;
  return isAll && page.body.byteLength <= MAX_GIVEN_BYTES ? page : null;
}

function isOwn(changelog: Changelog, { place, had }: Asking, last: number): boolean {
  const own = changelog.origins.knownId(instanceOf(readReplica(changelog.database))) ?? -1;
  const sql = template('feed/foreign-entry', { forPuller: had.forPuller });
  return changelog.prepare(sql).get({ since: place, last, own, ...had.bound }) === undefined;
}
