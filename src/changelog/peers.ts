import { statement } from '../sql/template.js';
import type { Changelog } from './changelog.js';

/** The newest cursor of the peer's log that this replica had, also where its pull starts over; empty: none. */
export function witnessOf(changelog: Changelog, peer: string): string {
  const row = changelog.prepare(statement('peers/witness')).get({ name: peer }) as
    { cursor: string } | undefined;
  return row?.cursor ?? '';
}

/** Where the next pull from this peer starts; empty: from the start. */
export function storedCursor(changelog: Changelog, peer: string): string {
  const row = changelog.prepare(statement('peers/cursor')).get({ name: peer }) as
    { cursor: string } | undefined;
  return row?.cursor ?? '';
}
