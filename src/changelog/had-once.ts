import type { Database } from 'better-sqlite3';
import { statement } from '../sql/template.js';
import type { Changelog } from './changelog.js';

/*
 * Claims end with the instance that they are about, with the one that makes them, and when its tables become others.
 * What they told was here all the same, and what is not here any more was deleted: that is kept.
 */

/** Keeps what is claimed now, and our own log up to `head`. Call in a write transaction, before a claim is given up. */
export function keepClaims(database: Database, head: number): void {
  database.prepare(statement('had/keep')).run({ head });
}

/** From now on claims are about the tables that are served now. Call in a write transaction. */
export function coverServed(changelog: Changelog): void {
  changelog.prepare(statement('had/cover')).run();
}

/** The log id up to which everything of a table in an instance's log was here once; 0 where none is known. */
export function hadOnce(changelog: Changelog, table: string, instance: string): number {
  const row = changelog.prepare(statement('had/of-instance')).get({ table, instance }) as
    { logId: number } | undefined;
  return row?.logId ?? 0;
}
