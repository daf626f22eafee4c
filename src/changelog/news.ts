import type { Database } from 'better-sqlite3';
import { SyncError } from '../errors.js';
import { MAX_GIVEN_CHANGES } from '../wire/http.js';
import { readReplica, type Changelog } from './changelog.js';
import { givenPage } from './given-page.js';
import { headOf, placeOf } from './marks.js';
import { entriesAfter, scopeOf, type BuiltPage, type PageQuery } from './page.js';

/** What a look for something new has found. */
export interface News {
  /** Whether there is a page to ask for. */
  readonly news: boolean;
  /** The newest log id: where there is no news, there is none up to there. */
  readonly seen: number;
  /** That page, where it can go with the answer. */
  readonly page: BuiltPage | null;
}

/**
 * Whether the log holds a version for this puller after its cursor; no row is read. Up to `seen` an earlier look of the
 * same query found nothing: the log grows at its end only. A cursor that is not of this log is news too: whoever asks for
 * the page is told what to do. `withOwn`: the page comes along, where it can.
 */
export function lookForNews(changelog: Changelog, query: PageQuery, seen: number, withOwn = false): News {
  const { database } = changelog;
  return database.transaction(() => {
    const head = headOf(database);
    const place = knownPlace(database, query.since);
    if (place === null) return { news: true, seen: head, page: null };
    // What the puller claims it is to acknowledge too.
    const scope = scopeOf(changelog, { ...query, member: null });
    const since = Math.max(place, seen);
    const entries = entriesAfter(changelog, scope, since, withOwn ? MAX_GIVEN_CHANGES + 1 : 1);
    const news = entries.length > 0;
    const asking = { place, had: scope.had, entries };
    return {
      news,
      seen: head,
      page: news && withOwn ? pageOrNone(() => givenPage(changelog, query, asking)) : null,
    };
  })();
}

/** Whoever asks for a page that can't be given is told why. */
function pageOrNone(read: () => BuiltPage | null): BuiltPage | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyncError) return null;
    throw error;
  }
}

function knownPlace(database: Database, cursor: string): number | null {
  try {
    return placeOf(database, readReplica(database).epoch, cursor);
  } catch (error) {
    if (error instanceof SyncError) return null;
    throw error;
  }
}
