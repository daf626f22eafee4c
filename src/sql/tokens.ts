/** A piece of SQL text. Comments and blanks are none. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'symbol';
  /** As it stands in the text. */
  readonly text: string;
  /** A name or a string without its quotes; anything else as it is. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|(?<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(?<string>[xX]?'(?:[^']|'')*')|(?<number>\.?\d[\w.]*(?:(?<=[eE])[+-]\d+)?)|(?<word>[\p{L}_$\u{80}-\u{10FFFF}][\p{L}\p{N}_$\u{80}-\u{10FFFF}]*)|(?<symbol>[\s\S])/uy;

/** Splits statements of SQLite's as its schema holds them, which are known to parse. */
export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(sql); match !== null; match = TOKEN.exec(sql)) {
    const { quoted, string, number, word } = match.groups ?? {};
    const text = match[0];
    const place = { text, start: match.index, end: match.index + text.length };
    if (quoted !== undefined) tokens.push({ kind: 'quoted', name: unquoted(quoted), ...place });
    else if (string !== undefined) tokens.push({ kind: 'string', name: unquoted(string), ...place });
    else if (number !== undefined) tokens.push({ kind: 'number', name: number, ...place });
    else if (word !== undefined) tokens.push({ kind: 'word', name: word, ...place });
    else if (match.groups?.symbol !== undefined) tokens.push({ kind: 'symbol', name: text, ...place });
    if (TOKEN.lastIndex >= sql.length) break;
  }
  return tokens;
}

/** Whether this token is one of these keywords; a quoted name never is. */
export function isKeyword(token: Token | undefined, ...keywords: readonly string[]): boolean {
  return token?.kind === 'word' && keywords.includes(token.text.toUpperCase());
}

/** Whether this token may name a table or column; SQLite takes a string for a name where one is due. */
export function isName(token: Token | undefined): token is Token {
  return token?.kind === 'word' || token?.kind === 'quoted' || token?.kind === 'string';
}

function unquoted(text: string): string {
  if (text.startsWith('[')) return text.slice(1, -1);
  const quote = text.charAt(0);
  // x'00' is no name
  if (/\w/.test(quote)) return text;
  return text.slice(1, -1).replaceAll(quote + quote, quote);
}
