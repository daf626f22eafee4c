import { isKeyword, tokensOf, type Token } from '../sql/tokens.js';
import { comparedWith } from './compared.js';
import {
  isRowNumber,
  isSame,
  namesIn,
  statementsOf,
  targetOf,
  type KeyColumns,
  type NumberedTable,
} from './row-numbers.js';

/**
 * Whether a trigger (`on` names its table) or a view takes the number of a row for its key. They were one and the same
 * with an integer key; with a new one the trigger would find nothing, or write what refers to nothing.
 */
export function mistakesRowNumbers(
  sql: string,
  on: string | null,
  tables: readonly NumberedTable[],
  keyColumns: KeyColumns,
): boolean {
  const tokens = tokensOf(sql);
  const isKey = keysIn(tokens, on, keyColumns);
  return (
    rowNumbersIn(tokens).some(({ first, last }) => comparedWith(tokens, first, last).some(isKey)) ||
    (on !== null && writesRowNumber(tokens, on, tables, keyColumns))
  );
}

interface Expression {
  readonly first: number;
  readonly last: number;
}

/** `rowid`, `p.rowid`, `new.rowid` and `last_insert_rowid()`. */
function rowNumbersIn(tokens: readonly Token[]): Expression[] {
  return [...tokens.entries()].flatMap(([place, token]) => {
    if (isKeyword(token, 'LAST_INSERT_ROWID')) return [{ first: place, last: place + 2 }];
    if (!isRowNumber(token)) return [];
    return [{ first: tokens[place - 1]?.text === '.' ? place - 2 : place, last: place }];
  });
}

/** Tells which column names of a statement are those of new keys. */
function keysIn(
  tokens: readonly Token[],
  on: string | null,
  keyColumns: KeyColumns,
): (column: { name: string; of: string | null }) => boolean {
  const names = namesIn(tokens);
  const has = (table: string, column: string): boolean =>
    [...keyColumns].some(
      ([name, columns]) => isSame(name, table) && [...columns].some((each) => isSame(each, column)),
    );
  const mentioned = [...keyColumns.keys()].filter((table) => tokens.some(({ name }) => isSame(name, table)));
  return ({ name, of }) => {
    if (of === null) return mentioned.some((table) => has(table, name));
    const isRow = isSame(of, 'new') || isSame(of, 'old');
    return has(isRow && on !== null ? on : (names.get(of.toLowerCase()) ?? of), name);
  };
}

/** Whether it writes a row number of its own into a table with new keys, other than to find a row by it. */
function writesRowNumber(
  tokens: readonly Token[],
  on: string,
  tables: readonly NumberedTable[],
  keyColumns: KeyColumns,
): boolean {
  const isNumbered = tables.some(({ name, rowid }) => rowid !== null && isSame(name, on));
  return statementsOf(tokens).some((statement) => {
    const target = targetOf(statement)?.name;
    if (target === undefined || ![...keyColumns.keys()].some((name) => isSame(name, target))) return false;
    return rowNumbersIn(statement).some(({ first, last }) => {
      const isOwn =
        isKeyword(statement[first], 'LAST_INSERT_ROWID') ||
        (isNumbered && isKeyword(statement[first], 'NEW', 'OLD'));
      const isCompared = [statement[first - 1], statement[last + 1]].some(
        (token) => token?.text === '=' || isKeyword(token, 'IS'),
      );
      return isOwn && !isCompared;
    });
  });
}
