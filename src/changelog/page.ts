import type { ReplicatedTable } from '../database/replicable.js';
import { joinSql, literal, statement, template, type Sql } from '../sql/template.js';
import { SyncError } from '../errors.js';
import { PROTOCOL, type WirePage } from '../wire/page.js';
import type { Heard, Member } from '../wire/members.js';
import { emptyBasket, joinPage } from './basket.js';
import { isSameName, readReplica, type Changelog } from './changelog.js';
import { fillFrom } from './fill-basket.js';
import { believed, cursorAt, cursorInvalid, headOf, markedHeadOf, placeOf } from './marks.js';
import { isOutdated, looksRewound } from './identity.js';
import { heardOf } from './members.js';
import { groupNews } from './group-news.js';
import { hadBy, type Had } from './had.js';
import { goingAway } from './served.js';
import { witnessOf } from './peers.js';
import { hideUnfolded } from './unfolded.js';
import { parseCursor } from '../wire/cursor.js';
import { instanceOf, parseInstance } from '../wire/instance.js';

/** Entries behind a page are counted no further than this; then the length of the log stands for them. */
const MAX_BEHIND_COUNTED = 1_000;

export interface PageQuery {
  readonly since: string;
  readonly limit: number;
  /** The puller's origin (`node@epoch`), whose own changes are left out; null: nothing is. */
  readonly puller: string | null;
  /** Null: all. */
  readonly tables: readonly string[] | null;
  readonly nowMs: number;
  /** `membersHash` of what the puller was last told; null: nothing. */
  readonly known?: string | null;
  /** What the puller says of itself. */
  readonly member?: Member | null;
  /** Nothing is left out for what the puller claims. */
  readonly full?: boolean;
  /** Nothing travels as its name alone. */
  readonly whole?: boolean;
  /** A cursor that the puller, which compares everything once more, had before; nothing is left out then. */
  readonly witness?: string | null;
  /** The instance of this node that the puller last heard of. */
  readonly heard?: Heard | null;
}

export interface BuiltPage {
  /** The page as UTF-8 JSON. */
  readonly body: Uint8Array<ArrayBuffer>;
  readonly changes: number;
  readonly hasMore: boolean;
  readonly nextCursor: string;
  /** It ends before a row that waits for the fold. */
  readonly waitsForFold: boolean;
  /** The log id up to which everything was folded. */
  readonly folded: number;
  /** Log ids of versions that it ends before, since their rows are there where they should not be, or not where they should. */
  readonly contradicted: readonly number[];
}

/** A stretch of the log that holds entries of one table. */
interface Run {
  readonly name: string;
  /** Null where the table is away, and that is not noted yet. */
  readonly table: ReplicatedTable | null;
  readonly first: number;
  last: number;
}

/**
 * Reads a page in one transaction: entries after the cursor in log order, each with its row as it is now. Throws
 * `cursor_invalid` where the cursor is not of this log, `log_rewound` where it or the witness once was, or an instance of this
 * node came after this one.
 */
export function buildPage(changelog: Changelog, query: PageQuery): BuiltPage {
  return changelog.database.transaction(() => {
    const { node, epoch, folded, renewed, pruned } = readReplica(changelog.database);
    const { witness = null, heard = null } = query;
    if (looksRewound(changelog.database, witness ?? '') || isOutdated(changelog.database, heard))
      throw cursorInvalid('log_rewound');
    const place = placeOf(changelog.database, epoch, query.since);
    requireUnpruned(changelog, query, place, pruned);
    const hidden = hideUnfolded(changelog, folded);
    const scope = scopeOf(changelog, query);
    const since = Math.max(place, scope.had.upTo);
    // Where more waits to be folded than can be told apart, nothing is served until the fold has caught up.
    const ids = hidden === 'too many' ? [] : entriesAfter(changelog, scope, since, query.limit + 1);
    const hasMoreEntries = ids.length > query.limit;
    const basket = emptyBasket(since);
    basket.atUnfolded = hidden === 'too many';
    for (const run of runsOf(scope, ids.slice(0, query.limit))) {
      basket.atUnfolded = run.table === null;
      if (run.table === null) break;
      fillFrom(changelog, scope.had, { ...run, table: run.table }, hidden === 'some', basket);
      if (basket.full || basket.atUnfolded) break;
      basket.last = run.last;
    }
    if (!basket.full && !hasMoreEntries && hidden === 'some' && isPageRaw(changelog, folded, query.limit)) {
      // What is folded ends here, but the fold has not come to its end.
      basket.atUnfolded = true;
    }
    const atHead = !basket.full && !hasMoreEntries && !basket.atUnfolded;
    // Before an unfolded row the puller may ask again at once, and waits where nothing came of that.
    const hasMore = basket.atUnfolded ? basket.last > since : !atHead;
    const end = atHead ? Math.max(basket.last, markedHeadOf(changelog.database)) : basket.last;
    const whole = atHead && basket.oversized.length === 0 && changelog.unfit.length === 0;
    const nextCursor = cursorAt(changelog.database, epoch, end);
    const tail = {
      ...(basket.oversized.length > 0 ? { oversized: basket.oversized } : {}),
      next_cursor: nextCursor,
      has_more: hasMore,
      behind: atHead ? 0 : behindOf(changelog, scope, end),
      ...(hasMore ? {} : groupNews(changelog, whole, query.known ?? null)),
      ...yourNews(changelog, query.puller),
    };
    const head = {
      protocol: PROTOCOL,
      node,
      epoch,
      server_time_ms: query.nowMs,
      ...(renewed === 1 ? { renewed: true } : {}),
    };
    return {
      body: joinPage(head, basket, tail),
      changes: basket.changes,
      hasMore,
      nextCursor,
      waitsForFold: basket.atUnfolded,
      folded,
      contradicted: basket.contradicted,
    };
  })();
}

/** What this replica had of the puller's log, where it had anything of the instance that asks, and who it takes the puller for. */
function yourNews(
  changelog: Changelog,
  puller: string | null,
): Pick<WirePage, 'your_cursor' | 'your_instance'> {
  const asking = parseInstance(puller ?? '');
  if (asking === null) return {};
  const { node, epoch } = asking;
  const cursor = witnessOf(changelog, node);
  const heard = heardOf(changelog, node);
  return {
    ...(cursor !== '' && parseCursor(cursor)?.epoch === epoch ? { your_cursor: cursor } : {}),
    ...(heard === null || heard.epoch === epoch ? {} : { your_instance: heard }),
  };
}

/**
 * Who stands before what was pruned, and does not claim it either, may have missed deletions; but not while it compares
 * everything from the start: until it has, it claims nothing, and nothing more is pruned.
 */
function requireUnpruned(changelog: Changelog, query: PageQuery, since: number, pruned: number): void {
  const { database } = changelog;
  const claim = believed(database, query.member?.claims[instanceOf(readReplica(database))]);
  if (query.since === '' || query.full === true || Math.max(since, claim) >= pruned) return;
  throw new SyncError('cursor_invalid', 'The cursor is older than what was pruned here.', {
    hint: 'Start over without a cursor; a replica does so by itself.',
  });
}

/** Which entries a page may hold. */
export interface Scope {
  readonly tables: readonly ReplicatedTable[];
  readonly tableNames: Sql;
  readonly had: Had;
}

export function scopeOf(changelog: Changelog, query: PageQuery): Scope {
  const isWanted = (table: string) => query.tables?.some((name) => isSameName(name, table)) ?? true;
  const tables = changelog.tables.filter(({ name }) => isWanted(name));
  const names = [...tables.map(({ name }) => name), ...goingAway(changelog).filter(isWanted)];
  return {
    tables,
    tableNames: joinSql(
      names.map((name) => literal(name)),
      ', ',
    ),
    had: hadBy(changelog, query),
  };
}

/** Its log id and its table. */
export type Entry = readonly [id: number, table: string];

/** The next entries of the log that are for this puller. */
export function entriesAfter(changelog: Changelog, scope: Scope, since: number, limit: number): Entry[] {
  const sql = template('feed/entries', {
    tableNames: scope.tableNames,
    forPuller: scope.had.forPuller,
  });
  return changelog
    .prepare(sql)
    .raw(true)
    .all({ since, limit, ...scope.had.bound }) as unknown as Entry[];
}

/** Whether a whole page of entries or more waits for the fold. */
function isPageRaw(changelog: Changelog, folded: number, limit: number): boolean {
  const { entries } = changelog.prepare(statement('feed/count-raw')).get({ folded, limit }) as {
    entries: number;
  };
  return entries >= limit;
}

function behindOf(changelog: Changelog, scope: Scope, since: number): number {
  const sql = template('feed/behind', {
    tableNames: scope.tableNames,
    forPuller: scope.had.forPuller,
  });
  const bound = { since, ...scope.had.bound, limit: MAX_BEHIND_COUNTED };
  const { behind } = changelog.prepare(sql).get(bound) as { behind: number };
  return behind < MAX_BEHIND_COUNTED ? behind : Math.max(behind, headOf(changelog.database) - since);
}

function runsOf(scope: Scope, entries: readonly Entry[]): Run[] {
  const runs: Run[] = [];
  for (const [id, tableName] of entries) {
    const run = runs.at(-1);
    if (run?.name === tableName) {
      run.last = id;
    } else {
      const table = scope.tables.find((candidate) => candidate.name === tableName) ?? null;
      runs.push({ name: tableName, table, first: id, last: id });
    }
  }
  return runs;
}
