import { isKeyword, isName, tokensOf, type Token } from '../sql/tokens.js';

/** A column as the text of its CREATE TABLE defines it. */
export interface ColumnText {
  readonly name: Token;
  /** Empty where it has no type. */
  readonly type: readonly Token[];
  /** Everything after the type. */
  readonly constraints: readonly Token[];
}

/** The parts of a CREATE TABLE statement, as the schema holds it, that a conversion changes. */
export interface TableText {
  readonly sql: string;
  readonly name: Token;
  readonly columns: readonly ColumnText[];
  /** Where a further column may be put: after the last one. */
  readonly columnsEnd: number;
  readonly autoincrement: Token | null;
}

const CONSTRAINTS = [
  'CONSTRAINT',
  'PRIMARY',
  'NOT',
  'NULL',
  'UNIQUE',
  'CHECK',
  'DEFAULT',
  'COLLATE',
  'REFERENCES',
  'GENERATED',
  'AS',
] as const;
const TABLE_CONSTRAINTS = ['CONSTRAINT', 'PRIMARY', 'UNIQUE', 'CHECK', 'FOREIGN'] as const;

/** Reads the text of a table, which is known to parse. */
export function readTableText(sql: string): TableText {
  const tokens = tokensOf(sql);
  const open = tokens.findIndex((token) => token.text === '(');
  // CREATE TABLE name (: the schema holds neither IF NOT EXISTS nor the schema's name.
  const name = tokens[2];
  if (open !== 3 || !isName(name)) throw new TypeError(`Expected CREATE TABLE name (...), not ${sql}`);
  const definitions = definitionsIn(tokens, open).filter(
    ([first]) => !isKeyword(first, ...TABLE_CONSTRAINTS),
  );
  const last = definitions.at(-1)?.at(-1);
  if (last === undefined) throw new TypeError(`Expected columns in ${sql}`);
  return {
    sql,
    name,
    columns: definitions.map(columnText),
    columnsEnd: last.end,
    autoincrement: tokens.find((token) => isKeyword(token, 'AUTOINCREMENT')) ?? null,
  };
}

/** What stands between the commas of the outermost parentheses. */
function definitionsIn(tokens: readonly Token[], open: number): Token[][] {
  const definitions: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens.slice(open + 1)) {
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (depth < 0) break;
    if (depth === 0 && token.text === ',') definitions.push([]);
    else definitions.at(-1)?.push(token);
  }
  return definitions.filter((definition) => definition.length > 0);
}

function columnText(definition: readonly Token[]): ColumnText {
  const [name] = definition;
  if (!isName(name)) throw new TypeError('Expected a column definition to begin with a name');
  const found = definition.findIndex((token, place) => place > 0 && isKeyword(token, ...CONSTRAINTS));
  const typeEnd = found === -1 ? definition.length : found;
  return { name, type: definition.slice(1, typeEnd), constraints: definition.slice(typeEnd) };
}

/** A piece of text that takes the place of another. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Applies edits that do not overlap. */
export function edited(sql: string, edits: readonly Edit[]): string {
  let text = sql;
  for (const edit of [...edits].sort((a, b) => b.start - a.start || b.end - a.end)) {
    text = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
  }
  return text;
}

/** Whether it says NOT NULL by itself, rather than something like it in a CHECK. */
export function isNotNull({ constraints }: ColumnText): boolean {
  return outermost(constraints).some(
    (token, place, all) => isKeyword(token, 'NOT') && isKeyword(all[place + 1], 'NULL'),
  );
}

export function hasDefault(column: ColumnText): boolean {
  return defaultIn(column) !== undefined;
}

/** The DEFAULT of a column, and not that of ON DELETE SET DEFAULT. */
function defaultIn({ constraints }: ColumnText): Token | undefined {
  return outermost(constraints).find(
    (token, place, all) => isKeyword(token, 'DEFAULT') && !isKeyword(all[place - 1], 'SET'),
  );
}

function outermost(tokens: readonly Token[]): Token[] {
  let depth = 0;
  return tokens.filter(({ text }) => {
    if (text === ')') depth -= 1;
    const isOutside = depth === 0;
    if (text === '(') depth += 1;
    return isOutside;
  });
}

/** A text that is this number in a column of INTEGER or TEXT affinity. */
const WHOLE = /^(?:0|-?[1-9]\d*)$/;

/**
 * The number that stands behind DEFAULT, with its place; null where none does. With `inText`, a string that is a number
 * counts.
 */
export function defaultNumber(
  column: ColumnText,
  inText: boolean,
): { value: bigint; edit: Omit<Edit, 'text'> } | null {
  const start = defaultIn(column);
  if (start === undefined) return null;
  const tokens = column.constraints.slice(column.constraints.indexOf(start) + 1);
  const isWrapped = tokens[0]?.text === '(';
  const inner = isWrapped ? tokens.slice(1) : tokens;
  const isSigned = inner[0]?.text === '-' || inner[0]?.text === '+';
  const number = inner[isSigned ? 1 : 0];
  const first = tokens[0];
  const last = isWrapped ? inner[isSigned ? 2 : 1] : number;
  if (number === undefined || first === undefined || last === undefined) return null;
  const isText = inText && !isSigned && number.kind === 'string' && WHOLE.test(number.name);
  const isNumber = /^(?:\d+|0[xX][\da-fA-F]+)$/.test(number.text);
  if (!(isNumber || isText) || (isWrapped && last.text !== ')')) return null;
  const value = BigInt.asIntN(64, BigInt(number.name)) * (inner[0]?.text === '-' ? -1n : 1n);
  return { value, edit: { start: first.start, end: last.end } };
}
