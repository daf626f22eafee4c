import { recordColumnsOf, recordsMatch, rowMatches } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { fragment, identifier, joinSql, literal, template, type Sql } from '../sql/template.js';
import { SyncError } from '../errors.js';
import type { WireChange } from '../wire/change.js';
import { MAX_PAGE_BYTES, MAX_ROW_BYTES, PROTOCOL, type OversizedRow } from '../wire/page.js';
import type { Member } from '../wire/members.js';
import { toWire, type SqlValue } from '../wire/value.js';
import { isSameName, originOf, readReplica, type Changelog } from './changelog.js';
import { isDoubtful } from './fingerprint-function.js';
import { cursorAt, markedHeadOf, placeOf } from './marks.js';
import { groupNews } from './group-news.js';
import { hadBy, type Had } from './had.js';
import { exactKey, exactRow, rowColumns, type PlainValue } from './row.js';
import { storedCursor } from './peers.js';
import { hideUnfolded } from './unfolded.js';
import { parseCursor } from '../wire/cursor.js';

/** Entries behind a page are counted no further than this. */
const MAX_BEHIND_COUNTED = 100_000;

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
}

export interface BuiltPage {
  readonly json: string;
  readonly changes: number;
  readonly hasMore: boolean;
}

/** A stretch of the log that holds entries of one table. */
interface Run {
  readonly table: ReplicatedTable;
  readonly first: number;
  last: number;
}

/** What a page takes in, entry by entry, until it is full. */
interface Basket {
  readonly changes: string[];
  readonly oversized: OversizedRow[];
  bytes: number;
  /** The last entry that the page covers. */
  last: number;
  full: boolean;
  /** The next row was written since the fold. */
  atUnfolded: boolean;
  /** False once a change was left out that does not come by itself. */
  whole: boolean;
}

/**
 * Reads a page in one transaction: entries after the cursor in log order, each with its row as it is now. Throws
 * `cursor_invalid` where the cursor is not of this log.
 */
export function buildPage(changelog: Changelog, query: PageQuery): BuiltPage {
  return changelog.database.transaction(() => {
    const { node, epoch, folded, renewed, pruned } = readReplica(changelog.database);
    const place = placeOf(changelog.database, epoch, query.since);
    requireUnpruned(changelog, query, place, pruned);
    const hidden = hideUnfolded(changelog, folded);
    const scope = scopeOf(changelog, query);
    const since = Math.max(place, scope.had.upTo);
    // Where more waits to be folded than can be told apart, nothing is served until the fold has caught up.
    const ids = hidden === 'too many' ? [] : entriesAfter(changelog, scope, since, query.limit + 1);
    const hasMoreEntries = ids.length > query.limit;
    const basket: Basket = {
      changes: [],
      oversized: [],
      bytes: 0,
      last: since,
      full: false,
      atUnfolded: hidden === 'too many',
      whole: true,
    };
    for (const run of runsOf(scope, ids.slice(0, query.limit))) {
      fillFrom(changelog, scope, run, hidden === 'some', basket);
      if (basket.full || basket.atUnfolded) break;
      basket.last = run.last;
    }
    const atHead = !basket.full && !hasMoreEntries && !basket.atUnfolded;
    // Before an unfolded row the puller may ask again at once, and waits where nothing came of that.
    const hasMore = basket.atUnfolded ? basket.last > since : !atHead;
    const end = atHead ? Math.max(basket.last, markedHeadOf(changelog.database)) : basket.last;
    const tail = {
      ...(basket.oversized.length > 0 ? { oversized: basket.oversized } : {}),
      next_cursor: cursorAt(changelog.database, epoch, end),
      has_more: hasMore,
      behind: atHead ? 0 : behindOf(changelog, scope, end),
      ...(hasMore ? {} : groupNews(changelog, atHead && basket.whole, query.known ?? null)),
      ...yourCursor(changelog, query.puller),
    };
    const head = {
      protocol: PROTOCOL,
      node,
      epoch,
      server_time_ms: query.nowMs,
      ...(renewed === 1 ? { renewed: true } : {}),
    };
    return { json: joinPage(head, basket.changes, tail), changes: basket.changes.length, hasMore };
  })();
}

/** What this replica has of the puller's log, where it has anything of the instance that asks. */
function yourCursor(changelog: Changelog, puller: string | null): { your_cursor?: string } {
  const [node = '', epoch] = (puller ?? '').split('@');
  const cursor = storedCursor(changelog, node);
  return cursor !== '' && parseCursor(cursor)?.epoch === epoch ? { your_cursor: cursor } : {};
}

/** Who stands before what was pruned, and does not claim it either, may have missed deletions. */
function requireUnpruned(changelog: Changelog, query: PageQuery, since: number, pruned: number): void {
  const claim = query.member?.claims[originOf(readReplica(changelog.database))] ?? 0;
  if (query.since === '' || Math.max(since, claim) >= pruned) return;
  throw new SyncError('cursor_invalid', 'The cursor is older than what was pruned here.', {
    hint: 'Start over without a cursor; a replica does so by itself.',
  });
}

function joinPage(head: object, changes: readonly string[], tail: object): string {
  return `${JSON.stringify(head).slice(0, -1)},"changes":[${changes.join(',')}],${JSON.stringify(tail).slice(1)}`;
}

interface Scope {
  readonly tables: readonly ReplicatedTable[];
  readonly tableNames: Sql;
  readonly had: Had;
}

function scopeOf(changelog: Changelog, query: PageQuery): Scope {
  const wanted = query.tables;
  const tables = changelog.tables.filter(
    (table) => wanted?.some((name) => isSameName(name, table.name)) ?? true,
  );
  return {
    tables,
    tableNames: joinSql(
      tables.map((table) => literal(table.name)),
      ', ',
    ),
    had: hadBy(changelog, query),
  };
}

interface Entry {
  readonly id: number;
  readonly tableName: string;
}

function entriesAfter(changelog: Changelog, scope: Scope, since: number, limit: number): Entry[] {
  const sql = template('feed/entries', {
    tableNames: scope.tableNames,
    forPuller: scope.had.forPuller,
  });
  return changelog.prepare(sql).all({ since, limit, ...scope.had.bound }) as Entry[];
}

function behindOf(changelog: Changelog, scope: Scope, since: number): number {
  const sql = template('feed/behind', {
    tableNames: scope.tableNames,
    forPuller: scope.had.forPuller,
  });
  const bound = { since, ...scope.had.bound, limit: MAX_BEHIND_COUNTED };
  return (changelog.prepare(sql).get(bound) as { behind: number }).behind;
}

function runsOf(scope: Scope, entries: readonly Entry[]): Run[] {
  const runs: Run[] = [];
  for (const { id, tableName } of entries) {
    const run = runs.at(-1);
    if (run?.table.name === tableName) {
      run.last = id;
    } else {
      const table = scope.tables.find((candidate) => candidate.name === tableName);
      if (table !== undefined) runs.push({ table, first: id, last: id });
    }
  }
  return runs;
}

/** Cells of sql/feed/rows.sql before the key and the row. */
const FIXED_CELLS = 9;
const UNFOLDED_CELL = 7;

function fillFrom(changelog: Changelog, scope: Scope, run: Run, hideSome: boolean, basket: Basket): void {
  const query = changelog
    .prepare(rowsSql(run.table, scope.had, hideSome))
    .safeIntegers(true)
    .raw(true);
  const ours = originOf(readReplica(changelog.database));
  const ourOrigin = changelog.origins.knownId(ours) ?? -1;
  const bound = { first: run.first, last: run.last, ourOrigin, ...scope.had.bound };
  for (const row of query.iterate(bound) as IterableIterator<PlainValue[]>) {
    if (row[UNFOLDED_CELL] === 1n) {
      // Passed over, it might never come: a fold that finds the same content leaves its entry where it is.
      basket.atUnfolded = true;
      return;
    }
    const change = toWireChange(changelog, run.table, row);
    if (change === null) basket.whole = false;
    else if (!add(basket, change)) return;
    basket.last = Number(row[0]);
  }
}

/** False where the page has no room for it. */
function add(basket: Basket, change: WireChange): boolean {
  const json = JSON.stringify(change);
  const bytes = Buffer.byteLength(json);
  if (bytes > MAX_ROW_BYTES) {
    basket.oversized.push({ seq: change.seq, table: change.table, key: change.key });
    return true;
  }
  if (basket.changes.length > 0 && basket.bytes + bytes > MAX_PAGE_BYTES) {
    basket.full = true;
    return false;
  }
  basket.bytes += bytes;
  basket.changes.push(json);
  return true;
}

/** Null where row and version disagree, so that some trigger was missing: that waits until it is reconciled. */
function toWireChange(
  changelog: Changelog,
  table: ReplicatedTable,
  row: readonly PlainValue[],
): WireChange | null {
  const [id, rank, stamp, origin, fingerprint, seen, present, , originSeq] = row;
  if ((present === 1n) !== (fingerprint !== '')) return null;
  const { key, values } = exactCells(changelog, table, row, present === 1n);
  return {
    seq: Number(id),
    table: table.name,
    operation: present === 1n ? 'upsert' : 'delete',
    key: key.map(toWire),
    ...(rank === null ? {} : { rank: Number(rank) }),
    stamp: Number(stamp),
    origin: changelog.origins.nameOf(Number(origin)),
    ...(present === 1n ? { fingerprint: fingerprint as string } : {}),
    ...(typeof seen === 'string' ? { seen: JSON.parse(seen) as Record<string, number> } : {}),
    ...(originSeq === null ? {} : { origin_seq: Number(originSeq) }),
    record: present === 1n ? recordOf(table, values) : null,
  };
}

function recordOf(table: ReplicatedTable, values: readonly SqlValue[]) {
  return Object.fromEntries(table.columns.map((name, index) => [name, toWire(values[index] ?? null)]));
}

/** Key and row, read again byte for byte where some text may not be what JavaScript shows. */
function exactCells(
  changelog: Changelog,
  table: ReplicatedTable,
  row: readonly PlainValue[],
  present: boolean,
) {
  const firstValue = FIXED_CELLS + table.key.length;
  const cells = { key: row.slice(FIXED_CELLS, firstValue), values: row.slice(firstValue) };
  if (!row.some(isDoubtful)) return cells;
  const id = Number(row[0]);
  return {
    key: exactKey(changelog, table, id),
    values: present ? exactRow(changelog, table, id) : cells.values,
  };
}

function rowsSql(table: ReplicatedTable, had: Had, hideSome: boolean): Sql {
  const tableName = literal(table.name);
  const firstKey = identifier(table.key[0]?.name ?? '');
  return template('feed/rows', {
    present: fragment('w.{{key}} IS NOT NULL', { key: firstKey }),
    recordColumns: recordColumnsOf(table, 'c'),
    rowColumns: rowColumns(table.columns),
    table: identifier(table.name),
    tableName,
    rowMatches: rowMatches(table, 'w', 'c'),
    forPuller: had.forPuller,
    unfolded: hideSome
      ? template('feed/is-unfolded', { tableName, unfoldedMatches: recordsMatch(table, 'u', 'c') })
      : fragment('0'),
  });
}
