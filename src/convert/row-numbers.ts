import { isKeyword, isName, tokensOf, type Token } from '../sql/tokens.js';
import { comparedWith } from './compared.js';
import { edited, type Edit } from './table-text.js';

/*
 * A virtual table (a full-text or spatial index) knows a row by its number. That was the row's key; afterwards it is the
 * row number that SQLite keeps beside a text key. So where such a table is told a key, or compared with one, the schema
 * has to say rowid instead.
 */

/** A table whose integer key goes. */
export interface NumberedTable {
  readonly name: string;
  /** The old key's column. */
  readonly key: string;
  /** What its row number can be called; null: a table WITHOUT ROWID has none. */
  readonly rowid: string | null;
}

export interface VirtualTable {
  readonly name: string;
  readonly sql: string;
  readonly columns: readonly string[];
}

/** The text of an FTS5 table over the rows of one of these tables, by their number; null where it need not change. */
export function renumberedIndex(
  { sql }: VirtualTable,
  tables: readonly NumberedTable[],
): { sql: string; content: NumberedTable } | null {
  const tokens = tokensOf(sql);
  const content = tables.find(({ name }) => isSame(optionOf(tokens, 'content')?.name, name));
  if (content === undefined) return null;
  const row = optionOf(tokens, 'content_rowid');
  const edits =
    isSame(row?.name ?? row?.text, content.key) && row !== undefined
      ? [replace(row, content.rowid ?? '')]
      : [];
  return { sql: edited(sql, edits), content };
}

/** The value of `name=value` in the arguments of a virtual table, strings without their quotes. */
function optionOf(tokens: readonly Token[], option: string): Token | undefined {
  const at = tokens.findIndex(
    (token, place) => isName(token) && isSame(token.name, option) && tokens[place + 1]?.text === '=',
  );
  return at === -1 ? undefined : tokens[at + 2];
}

/** The name of what an FTS5 table reads its content from; undefined where it keeps its own. */
export function contentOf({ sql }: VirtualTable): string | undefined {
  return optionOf(tokensOf(sql), 'content')?.name;
}

/** Whether an FTS5 table reads its content from this table. */
export function isIndexOf(index: VirtualTable, table: string): boolean {
  return isSame(contentOf(index), table);
}

/** The columns of each table that hold new keys afterwards. */
export type KeyColumns = ReadonlyMap<string, ReadonlySet<string>>;

export interface Rewritten {
  readonly sql: string;
  /** True where a virtual table is told keys in a way that is not understood. */
  readonly unclear: boolean;
}

/** A trigger (`on` names the table that it is of) or a view with row numbers where virtual tables are concerned. */
export function renumbered(
  sql: string,
  on: string | null,
  tables: readonly NumberedTable[],
  virtual: readonly VirtualTable[],
  keyColumns: KeyColumns,
): Rewritten {
  const tokens = tokensOf(sql);
  const edits = new Map<number, Edit>();
  let unclear = false;
  for (const edit of comparisons(tokens, tables, virtual)) edits.set(edit.start, edit);
  for (const statement of on === null ? [] : statementsOf(tokens)) {
    const target = virtual.find(({ name }) => isSame(targetOf(statement)?.name, name));
    if (target === undefined) continue;
    const own = tables.find(({ name }) => isSame(name, on ?? ''));
    for (const [place, token] of statement.entries()) {
      const table = tables.find(({ key }) => isName(token) && isSame(token.name, key));
      if (table === undefined || edits.has(token.start)) continue;
      // `tags.post_id = new.id` within a subquery: both are keys.
      const first = statement[place - 1]?.text === '.' ? place - 2 : place;
      const others = comparedWith(statement, first, place).map(({ name }) => name);
      if (others.some((name) => isKeyElsewhere(name, target, keyColumns))) continue;
      if (own !== undefined && isSame(own.key, token.name) && isRowOfTrigger(statement, place)) {
        if (own.rowid === null) unclear = true;
        else edits.set(token.start, replace(token, own.rowid));
      } else if (
        token.kind !== 'string' &&
        !target.columns.some((column) => isSame(column, token.name)) &&
        !isRowOfTrigger(statement, place)
      ) {
        unclear = true;
      }
    }
  }
  return { sql: edited(sql, [...edits.values()]), unclear };
}

function isRowOfTrigger(tokens: readonly Token[], place: number): boolean {
  return tokens[place - 1]?.text === '.' && isKeyword(tokens[place - 2], 'NEW', 'OLD');
}

function isKeyElsewhere(column: string, { columns }: VirtualTable, keyColumns: KeyColumns): boolean {
  return (
    !columns.some((own) => isSame(own, column)) &&
    [...keyColumns.values()].some((names) => [...names].some((name) => isSame(name, column)))
  );
}

/** The statements of a trigger's body. */
export function statementsOf(tokens: readonly Token[]): Token[][] {
  const begin = tokens.findIndex(
    (token, place) => isKeyword(token, 'BEGIN') && tokens[place - 1]?.text !== '.',
  );
  const statements: Token[][] = [[]];
  for (const token of tokens.slice(begin + 1)) {
    if (token.text === ';') statements.push([]);
    else statements.at(-1)?.push(token);
  }
  return statements.filter((statement) => statement.length > 0);
}

/** What an INSERT, REPLACE, UPDATE or DELETE writes. */
export function targetOf(statement: readonly Token[]): Token | undefined {
  let depth = 0;
  for (const [place, token] of statement.entries()) {
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (depth > 0) continue;
    if (isKeyword(token, 'INTO')) return statement[place + 1];
    if (isKeyword(token, 'UPDATE'))
      return statement[isKeyword(statement[place + 1], 'OR') ? place + 3 : place + 1];
    if (isKeyword(token, 'DELETE')) return statement[place + 2];
  }
  return undefined;
}

/** `posts.id = posts_fts.rowid`, in either order, and `id IN (SELECT rowid FROM posts_fts`. */
function comparisons(
  tokens: readonly Token[],
  tables: readonly NumberedTable[],
  virtual: readonly VirtualTable[],
): Edit[] {
  const names = namesIn(tokens);
  const called = (token: Token | undefined, name: string): boolean =>
    token !== undefined && isName(token) && isSame(names.get(token.name.toLowerCase()), name);
  const edits: Edit[] = [];
  for (const [place, token] of tokens.entries()) {
    if (!isName(token)) continue;
    for (const { name, key, rowid } of tables) {
      if (rowid === null || !isSame(token.name, key)) continue;
      const isQualified = tokens[place - 1]?.text === '.';
      if (isQualified && !called(tokens[place - 2], name)) continue;
      const start = isQualified ? place - 2 : place;
      const isRowOf = (at: number): boolean =>
        isRowNumber(tokens[at + 2]) &&
        tokens[at + 1]?.text === '.' &&
        virtual.some((each) => called(tokens[at], each.name));
      const isEqual = (at: number): boolean => tokens[at]?.text === '=' || isKeyword(tokens[at], 'IS');
      // `==` is two symbols.
      const after = tokens[place + 2]?.text === '=' ? place + 3 : place + 2;
      const before = tokens[start - 2]?.text === '=' ? start - 5 : start - 4;
      const isCompared =
        (isQualified && isEqual(place + 1) && isRowOf(after)) ||
        (isQualified && isEqual(start - 1) && isRowOf(before));
      if (isCompared || isInRowsOf(tokens, place + 1, virtual)) edits.push(replace(token, rowid));
    }
  }
  return edits;
}

/** `IN (SELECT rowid FROM posts_fts`, here. */
function isInRowsOf(tokens: readonly Token[], at: number, virtual: readonly VirtualTable[]): boolean {
  if (!isKeyword(tokens[at], 'IN') || !isKeyword(tokens[at + 2], 'SELECT')) return false;
  const from = tokens.findIndex((token, place) => place > at && isKeyword(token, 'FROM'));
  const target = tokens[from + 1];
  return (
    isRowNumber(tokens[from - 1]) &&
    virtual.some(({ name }) => target !== undefined && isSame(target.name, name))
  );
}

export function isRowNumber(token: Token | undefined): boolean {
  return isKeyword(token, 'ROWID', 'DOCID', '_ROWID_', 'OID');
}

/** What each name before a dot stands for: tables after FROM, JOIN and commas, and their other names. */
export function namesIn(tokens: readonly Token[]): Map<string, string> {
  const names = new Map<string, string>();
  // A comma also stands between other things: what FROM and JOIN say counts more.
  for (const isFirst of [true, false]) {
    for (const [place, token] of tokens.entries()) {
      const table = tokens[place + 1];
      const leads = isFirst ? token.text === ',' : isKeyword(token, 'FROM', 'JOIN');
      if (!leads || !isName(table)) continue;
      names.set(table.name.toLowerCase(), table.name);
      const next = tokens[place + 2];
      const alias = isKeyword(next, 'AS') ? tokens[place + 3] : next;
      if (isName(alias) && !isKeyword(alias, ...NO_ALIAS)) names.set(alias.name.toLowerCase(), table.name);
    }
  }
  return names;
}

const NO_ALIAS = [
  'JOIN',
  'ON',
  'WHERE',
  'LEFT',
  'INNER',
  'CROSS',
  'NATURAL',
  'GROUP',
  'ORDER',
  'LIMIT',
  'USING',
  'UNION',
  'FULL',
  'RIGHT',
  'HAVING',
  'WINDOW',
  'INTERSECT',
  'EXCEPT',
];

function replace({ start, end }: Token, text: string): Edit {
  return { start, end, text };
}

export function isSame(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}
