import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root.js';

declare const sqlBrand: unique symbol;
/** A piece of SQL text that is safe to stand in a statement: made here, never from outside. */
export type Sql = string & { readonly [sqlBrand]: true };

/** A table's or column's name, quoted for any statement. */
export function identifier(name: string): Sql {
  return `"${name.replaceAll('"', '""')}"` as Sql;
}

/** A text literal, for the places where SQLite takes no bound value (trigger bodies, partial indexes). */
export function literal(text: string): Sql {
  return `'${text.replaceAll("'", "''")}'` as Sql;
}

/** A statement that the schema itself holds, as it stands there. */
export function verbatim(text: string): Sql {
  return text as Sql;
}

/** Fragments with a separator between them; the separator is a constant of ours. */
export function joinSql(
  parts: readonly Sql[],
  separator: ', ' | ' AND ' | ' OR ' | ' + ' | ' UNION ' | '\n',
): Sql {
  return parts.join(separator) as Sql;
}

const texts = new Map<string, string>();

/** The text of `sql/<name>.sql`, without its leading comment lines. */
export function statement(name: string): Sql {
  let text = texts.get(name);
  if (text === undefined) {
    text = withoutHeader(readFileSync(join(packageRoot, 'sql', `${name}.sql`), 'utf8'));
    texts.set(name, text);
  }
  return text as Sql;
}

function withoutHeader(text: string): string {
  return text.replace(/^(?:--.*\n)+/, '').trim();
}

/** `sql/<name>.sql` with every `{{hole}}` filled; a hole without a value is a programmer's error. */
export function template(name: string, holes: Readonly<Record<string, Sql>>): Sql {
  return statement(name).replace(/\{\{(\w+)\}\}/g, (_, hole: string) => {
    const value = holes[hole];
    if (value === undefined) throw new TypeError(`Expected a value for {{${hole}}} in sql/${name}.sql`);
    return value;
  }) as Sql;
}

/** Makes a fragment by filling `{{hole}}` in a short constant text of ours. */
export function fragment(text: string, holes: Readonly<Record<string, Sql>> = {}): Sql {
  return text.replace(/\{\{(\w+)\}\}/g, (_, hole: string) => {
    const value = holes[hole];
    if (value === undefined) throw new TypeError(`Expected a value for {{${hole}}} in "${text}"`);
    return value;
  }) as Sql;
}
