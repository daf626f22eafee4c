import { statement } from '../sql/template.js';
import type { Changelog } from './changelog.js';

/** A part of the log: the entries after one log id, up to another. */
export interface LogStretch {
  readonly after: number;
  readonly last: number;
}

/** The log up to `head` by stretches of so many entries, each found when the one before it is done. */
export function* logStretches(
  changelog: () => Changelog,
  head: number,
  entries: number,
): Generator<LogStretch> {
  for (let after = 0; after < head;) {
    const row = changelog().prepare(statement('backfill/stretch')).get({ after, entries }) as
      { last: number } | undefined;
    const last = Math.min(row?.last ?? head, head);
    yield { after, last };
    after = last;
  }
}
