import { statement, template, fragment, type Sql } from '../sql/template.js';
import { tablesHash, type Member } from '../wire/members.js';
import { readReplica, type Changelog } from './changelog.js';
import { believed } from './marks.js';
import { readMembers } from './members.js';
import { instanceOf } from '../wire/instance.js';

/** What a puller says of itself, as far as the feed has to know. */
export interface Puller {
  /** Its origin (`node@epoch`); null where it did not say. */
  readonly puller: string | null;
  readonly since: string;
  readonly tables: readonly string[] | null;
  readonly member?: Member | null;
  readonly full?: boolean;
  readonly whole?: boolean;
  readonly witness?: string | null;
}

/** What a puller has, wherever from, and need not be sent. */
export interface Had {
  /** It has our log up to there. */
  readonly upTo: number;
  /** A condition on entries `c` that are for it. */
  readonly forPuller: Sql;
  /** A condition on those of them that it authored or claims to have: their names suffice. */
  readonly isClaimed: Sql;
  /** The values that both bind. */
  readonly bound: { readonly pullerOrigin: number; readonly claimed: string };
}

/**
 * What came from the puller itself is left out; of what it authored or claims otherwise, for the same tables as ours, the
 * names are sent, and it asks for the rows where it lacks one. For a claim is about a log as the puller knew it: where
 * that was rewound, what we have of it may be something else under the same log ids. Who compares everything is sent all
 * but what it authored, and with a witness all: a backup may have been restored that nothing else tells of.
 */
export function hadBy(changelog: Changelog, puller: Puller): Had {
  const { origins } = changelog;
  const asks = (puller.witness ?? null) === null ? puller.puller : null;
  const pullerOrigin = (asks === null ? undefined : origins.knownId(asks)) ?? -1;
  const claims = usableClaims(changelog, puller);
  const ours = instanceOf(readReplica(changelog.database));
  const mayBePruned = statement('feed/may-be-pruned');
  const authored = puller.full === true || puller.since === '';
  return {
    upTo: believed(changelog.database, claims[ours]),
    forPuller: template('feed/for-puller', {
      cameFromPuller: statement(authored ? 'feed/authored-by-puller' : 'feed/from-puller'),
      mayBePruned,
    }),
    isClaimed: puller.whole === true ? fragment('0') : template('feed/is-claimed', { mayBePruned }),
    bound: { pullerOrigin, claimed: JSON.stringify(claimedOfOthers(changelog, claims, ours)) },
  };
}

/** Log ids by the numbers of their origins. */
function claimedOfOthers(
  changelog: Changelog,
  claims: Member['claims'],
  ours: string,
): Record<number, number> {
  // Of an instance that went on as another most claims are about what was lost.
  const others = new Set([...readMembers(changelog).values()].map(instanceOf));
  others.delete(ours);
  const claimed = Object.entries(claims).flatMap(([instance, { log_id: logId }]) => {
    const origin = others.has(instance) ? changelog.origins.knownId(instance) : undefined;
    return origin === undefined || logId === 0 ? [] : [[origin, logId] as const];
  });
  return Object.fromEntries(claimed);
}

function usableClaims(changelog: Changelog, { since, tables, member, full }: Puller): Member['claims'] {
  if (member === undefined || member === null || full === true || since === '' || tables !== null) return {};
  const ours = tablesHash(changelog.tables.map(({ name }) => name));
  return member.tables === ours ? member.claims : {};
}
