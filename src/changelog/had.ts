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
  /** A condition on those of them that it claims to have: their names suffice. */
  readonly isClaimed: Sql;
  /** The values that both bind. */
  readonly bound: { readonly pullerOrigin: number; readonly claimed: string };
}

/**
 * What it authored itself, and, where it does not compare everything, what it claims for the same tables as ours. Who
 * compares everything once more may lack what it authored: a backup may have been restored that nothing else tells of.
 * A claim of another's log is about that log as the puller knew it: where it was rewound, what we have of it may be
 * something else under the same log ids. So the names are sent, and the puller asks for the whole where it misses one.
 */
export function hadBy(changelog: Changelog, puller: Puller): Had {
  const { origins } = changelog;
  const author = (puller.witness ?? null) === null ? puller.puller : null;
  const pullerOrigin = (author === null ? undefined : origins.knownId(author)) ?? -1;
  const claims = usableClaims(changelog, puller);
  const ours = instanceOf(readReplica(changelog.database));
  // Of an instance that went on as another most claims are about what was lost.
  const others = new Set([...readMembers(changelog).values()].map(instanceOf));
  others.delete(ours);
  const ofOthers = Object.entries(puller.whole === true ? {} : claims).flatMap(
    ([instance, { log_id: logId }]) => {
      const origin = others.has(instance) ? origins.knownId(instance) : undefined;
      return origin === undefined || logId === 0 ? [] : [[origin, logId] as const];
    },
  );
  const mayBePruned = statement('feed/may-be-pruned');
  return {
    upTo: believed(changelog.database, claims[ours]),
    forPuller: template('feed/for-puller', { mayBePruned }),
    isClaimed: ofOthers.length === 0 ? fragment('0') : template('feed/is-claimed', { mayBePruned }),
    bound: { pullerOrigin, claimed: JSON.stringify(Object.fromEntries(ofOthers)) },
  };
}

function usableClaims(changelog: Changelog, { since, tables, member, full }: Puller): Member['claims'] {
  if (member === undefined || member === null || full === true || since === '' || tables !== null) return {};
  const ours = tablesHash(changelog.tables.map(({ name }) => name));
  return member.tables === ours ? member.claims : {};
}
