import { statement } from '../sql/template.js';
import type { Changelog } from './changelog.js';

/** Where the next pull from this peer starts; empty: from the start. */
export function storedCursor(changelog: Changelog, peer: string): string {
  const row = changelog.prepare(statement('peers/cursor')).get({ name: peer }) as
    { cursor: string } | undefined;
  return row?.cursor ?? '';
}
