import { readReplica, type Changelog } from '../changelog/changelog.js';
import { heardOf } from '../changelog/members.js';
import { ownMember } from '../changelog/own-member.js';
import { statement } from '../sql/template.js';
import type { Heard, Member } from '../wire/members.js';

/** What a pull from a peer starts with, and asks with. */
export interface PullStart {
  /** Empty: from the start. */
  readonly cursor: string;
  /** Everything is compared, so nothing may be left out for what we claim. */
  readonly full: boolean;
  /** Nothing may travel as its name alone: a row that was only named is missing here. */
  readonly whole?: boolean;
  /** What we say of ourselves. */
  readonly member: Member;
  /** Where everything is compared once more: the newest cursor of the peer's log that this replica had; else null. */
  readonly witness: string | null;
  /** `membersHash` of what the peer last told us; null: nothing. */
  readonly known: string | null;
  /** The instance of the peer that we last heard of; null where it told us nothing yet. */
  readonly heard: Heard | null;
  /** Our newest pruned log id. */
  readonly pruned: number;
  /** The file whose pages moved the cursor last, by its SHA-256, where they count for claims; else null. */
  readonly imported?: string | null;
}

export function pullStart(changelog: Changelog, peer: string): PullStart {
  return changelog.database.transaction(() => {
    const row = changelog.prepare(statement('peers/pull-start')).get({ name: peer }) as
      | {
          cursor: string;
          comparing: number;
          known: string | null;
          witness: string | null;
          imported: string | null;
        }
      | undefined;
    const full = row === undefined || row.cursor === '' || row.comparing === 1;
    return {
      cursor: row?.cursor ?? '',
      full,
      witness: full ? (row?.witness ?? null) : null,
      member: ownMember(changelog),
      known: row?.known ?? null,
      heard: heardOf(changelog, peer),
      pruned: readReplica(changelog.database).pruned,
      imported: row?.imported ?? null,
    };
  })();
}
