import { isKeyword, isName, type Token } from '../sql/tokens.js';

/** A column as an expression names it. */
export interface ColumnName {
  readonly name: string;
  /** What stands before its dot; null: nothing. */
  readonly of: string | null;
}

/** The columns that stand beside an expression (from its first token to its last) with `=`, `==` or IS between. */
export function comparedWith(tokens: readonly Token[], first: number, last: number): ColumnName[] {
  const isEqual = (token: Token | undefined): boolean => token?.text === '=' || isKeyword(token, 'IS');
  const found: ColumnName[] = [];
  if (isEqual(tokens[first - 1])) {
    // `==` is two symbols.
    const end = tokens[first - 2]?.text === '=' ? first - 3 : first - 2;
    const isQualified = tokens[end - 1]?.text === '.';
    found.push(...columnName(tokens[end], isQualified ? tokens[end - 2] : undefined));
  }
  if (isEqual(tokens[last + 1])) {
    const start = tokens[last + 2]?.text === '=' ? last + 3 : last + 2;
    const isQualified = tokens[start + 1]?.text === '.';
    found.push(
      ...columnName(tokens[isQualified ? start + 2 : start], isQualified ? tokens[start] : undefined),
    );
  }
  return found;
}

function columnName(token: Token | undefined, before: Token | undefined): ColumnName[] {
  if (!isName(token) || token.kind === 'string') return [];
  return [{ name: token.name, of: before?.name ?? null }];
}
