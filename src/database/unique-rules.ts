import { fragment, identifier, joinSql, type Sql } from '../sql/template.js';
import { isKeyword, isName, tokensOf, type Token } from '../sql/tokens.js';
import type { ReplicatedTable } from './replicable.js';
import { columnNamed } from './replicable.js';
import type { Table, UniqueIndex } from './table.js';

/** A rule by which a REPLACE can delete a row of another key, in SQL for a trigger on the table. */
export interface UniqueRule {
  /** True of a row of the source `w` that has the unique values of `NEW`. */
  readonly collides: Sql;
  /** True in an update trigger where these values may have changed. */
  readonly changed: Sql;
}

/**
 * Every unique rule of a table but the replicated key itself, letter case included: a row that one of them evicts
 * has another key, and vanishes without a delete trigger.
 */
export function uniqueRulesOf(replicated: ReplicatedTable): UniqueRule[] {
  const { table } = replicated;
  const rules = table.uniqueIndexes
    .filter((index) => !isExactKey(replicated, index))
    .map((index) => ruleOf(table, index));
  const rowid = table.rowidKey ? table.primaryKey[0] : undefined;
  const rowidIsKey = replicated.key.length === 1 && replicated.key[0]?.name === rowid;
  return rowid === undefined || rowidIsKey ? rules : [...rules, columnRule(rowid)];
}

function isExactKey({ key }: ReplicatedTable, index: UniqueIndex): boolean {
  return (
    !index.partial &&
    index.columns.length === key.length &&
    key.every((column) => index.columns.includes(column.name)) &&
    index.collations.every((collation) => collation.toUpperCase() === 'BINARY')
  );
}

function columnRule(name: string): UniqueRule {
  const holes = { name: identifier(name) };
  return {
    collides: fragment('w.{{name}} = NEW.{{name}}', holes),
    changed: fragment('OLD.{{name}} IS NOT NEW.{{name}}', holes),
  };
}

function ruleOf(table: Table, index: UniqueIndex): UniqueRule {
  const parts = index.sql === null ? null : partsOf(index.sql);
  const pairs = index.columns.map((column, position) => {
    if (column !== null) {
      const name = identifier(column);
      return { own: fragment('w.{{name}}', { name }), new: fragment('NEW.{{name}}', { name }) };
    }
    const expression = parts?.columns[position] ?? [];
    return { own: inRow(table, expression, 'w'), new: inRow(table, expression, 'NEW') };
  });
  const equal = pairs.map((pair, position) =>
    fragment('{{own}} = {{new}} COLLATE {{collation}}', {
      ...pair,
      collation: identifier(index.collations[position] ?? 'BINARY'),
    }),
  );
  const where = parts?.where ?? [];
  return {
    collides: joinSql(
      where.length === 0 ? equal : [...equal, fragment('({{where}})', { where: inRow(table, where, 'w') })],
      ' AND ',
    ),
    changed:
      parts === null
        ? joinSql(
            pairs.map((pair) => changedIn(pair)),
            ' OR ',
          )
        : fragment('1'),
  };
}

function changedIn(pair: { new: Sql }): Sql {
  return fragment('{{old}} IS NOT {{new}}', {
    old: pair.new.replace(/^NEW\./, 'OLD.') as Sql,
    new: pair.new,
  });
}

/** What stands between the parentheses of a CREATE INDEX, column by column, and behind its WHERE. */
function partsOf(sql: string): { columns: Token[][]; where: Token[] } {
  const tokens = tokensOf(sql);
  const columns: Token[][] = [];
  let column: Token[] = [];
  let depth = 0;
  let place = tokens.findIndex((token) => isKeyword(token, 'ON')) + 2;
  for (; place < tokens.length; place += 1) {
    const token = tokens[place];
    if (token === undefined) break;
    if (token.text === ')') depth -= 1;
    if (depth === 0 && token.text === ')') break;
    if (depth === 1 && token.text === ',') {
      columns.push(column);
      column = [];
    } else if (depth > 0) column.push(token);
    if (token.text === '(') depth += 1;
  }
  columns.push(column);
  const where = isKeyword(tokens[place + 1], 'WHERE') ? tokens.slice(place + 2) : [];
  return { columns: columns.map(withoutOrder), where };
}

/** An indexed expression without the collation and direction that may follow it. */
function withoutOrder(tokens: Token[]): Token[] {
  const directed = isKeyword(tokens.at(-1), 'ASC', 'DESC') ? tokens.slice(0, -1) : tokens;
  return isKeyword(directed.at(-2), 'COLLATE') ? directed.slice(0, -2) : directed;
}

/** The expression with its columns taken from this row; index expressions name columns of the one table alone. */
function inRow(table: Table, tokens: readonly Token[], row: 'w' | 'NEW'): Sql {
  const parts = tokens.map((token, place) => {
    const column = isName(token) && token.kind !== 'string' ? columnNamed(table, token.name) : undefined;
    const isColumn =
      column !== undefined && tokens[place + 1]?.text !== '(' && tokens[place - 1]?.text !== '.';
    return isColumn ? `${row}.${identifier(column.name)}` : token.text;
  });
  return fragment(parts.join(' '));
}
