import { statement } from '../sql/template.js';
import { membersHash, type Member } from '../wire/members.js';
import { readReplica, type Changelog } from './changelog.js';
import { horizons, type Horizon } from './horizon.js';
import { readMembers } from './members.js';

/** What the last page of a pull says besides its changes (docs/protocol.md, "Claims"). */
export interface GroupNews {
  /** Absent where the puller has them already. */
  readonly members?: readonly Member[];
  /** What was pruned anywhere, by table; absent where nothing was. */
  readonly pruned?: readonly (Horizon & { readonly table: string })[];
  readonly complete: boolean;
  readonly vouches: boolean;
}

/** `whole`: the page leaves nothing out that the puller will need. */
export function groupNews(changelog: Changelog, whole: boolean, known: string | null): GroupNews {
  const { held, dropped, gaps } = changelog.prepare(statement('members/doubts')).get() as Record<
    'held' | 'dropped' | 'gaps',
    number
  >;
  const complete = whole && gaps === 0;
  const vouches = complete && held + dropped === 0;
  const members = toldMembers(changelog);
  const pruned = horizons(changelog);
  return {
    ...(membersHash(members) === known ? {} : { members }),
    ...(pruned.length === 0 ? {} : { pruned }),
    complete,
    vouches,
  };
}

/** Everyone that was heard of; this replica only as the instance that it is now. */
function toldMembers(changelog: Changelog): Member[] {
  const { node, epoch } = readReplica(changelog.database);
  return [...readMembers(changelog).values()].filter((row) => row.node !== node || row.epoch === epoch);
}
