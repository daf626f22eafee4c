import type { Database } from 'better-sqlite3';
import { SyncError } from '../errors.js';
import { readReplica, type Changelog } from './changelog.js';
import { headOf, placeOf } from './marks.js';
import { entriesAfter, scopeOf, type PageQuery } from './page.js';

/** What a look for something new has found. */
export interface News {
  /** Whether there is a page to ask for. */
  readonly news: boolean;
  /** The newest log id: where there is no news, there is none up to there. */
  readonly seen: number;
}

/**
 * Whether the log holds a version for this puller after its cursor; no row is read. Up to `seen` an earlier look of the
 * same query found nothing: the log grows at its end only. A cursor that is not of this log is news too: whoever asks for
 * the page is told what to do.
 */
export function lookForNews(changelog: Changelog, query: PageQuery, seen: number): News {
  const { database } = changelog;
  return database.transaction(() => {
    const head = headOf(database);
    const place = knownPlace(database, query.since);
    if (place === null) return { news: true, seen: head };
    const scope = scopeOf(changelog, query);
    const since = Math.max(place, scope.had.upTo, seen);
    return { news: entriesAfter(changelog, scope, since, 1).length > 0, seen: head };
  })();
}

function knownPlace(database: Database, cursor: string): number | null {
  try {
    return placeOf(database, readReplica(database).epoch, cursor);
  } catch (error) {
    if (error instanceof SyncError) return null;
    throw error;
  }
}
