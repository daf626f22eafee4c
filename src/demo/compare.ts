import { createHash } from 'node:crypto';
import { readContent, type TableContent } from './content.js';

export interface ReplicaFile {
  readonly name: string;
  readonly file: string;
}

/** The same place in two replicas, with what each holds there. */
export interface Difference {
  readonly table: string;
  /** Null: the tables have different columns. */
  readonly key: string | null;
  /** Null: one of the two has no such row. */
  readonly column: string | null;
  readonly values: readonly [replica: string, value: string][];
}

export interface Comparison {
  /** Rows per table, as the first replica has them. */
  readonly rows: ReadonlyMap<string, number>;
  /** SHA-256 over all columns and rows of the tables, in the order of their keys; by replica. */
  readonly sha256: ReadonlyMap<string, string>;
  /** Each replica against the first; empty: all are equal. */
  readonly differences: readonly Difference[];
}

type Content = ReadonlyMap<string, TableContent>;

/** Compares tables of several files row by row: value and type of every column. */
export function compareReplicas(replicas: readonly ReplicaFile[], tables: readonly string[]): Comparison {
  const contents = new Map(replicas.map(({ name, file }) => [name, readContent(file, tables)]));
  const [first, ...others] = [...contents];
  if (first === undefined) throw new TypeError('Expected replicas to compare');
  return {
    rows: new Map(tables.map((table) => [table, tableOf(first[1], table).rows.size])),
    sha256: new Map([...contents].map(([name, content]) => [name, sha256Of(content)])),
    differences: others.flatMap((other) => tables.flatMap((table) => compareTable(table, first, other))),
  };
}

function tableOf(content: Content, table: string): TableContent {
  const found = content.get(table);
  if (found === undefined) throw new TypeError(`Expected table "${table}" to have been read`);
  return found;
}

function compareTable(
  table: string,
  [name, content]: [string, Content],
  [otherName, otherContent]: [string, Content],
): Difference[] {
  const [left, right] = [tableOf(content, table), tableOf(otherContent, table)];
  const differ = (key: string | null, column: string | null, one: string, other: string): Difference => ({
    table,
    key,
    column,
    values: [
      [name, one],
      [otherName, other],
    ],
  });
  if (left.columns.join() !== right.columns.join()) {
    return [differ(null, null, left.columns.join(', '), right.columns.join(', '))];
  }
  const keys = [...new Set([...left.rows.keys(), ...right.rows.keys()])].sort();
  return keys.flatMap((key) => {
    const [one, other] = [left.rows.get(key), right.rows.get(key)];
    if (one === undefined || other === undefined) return [differ(key, null, has(one), has(other))];
    return left.columns.flatMap((column, index) =>
      one[index] === other[index] ? [] : [differ(key, column, one[index] ?? '', other[index] ?? '')],
    );
  });
}

function has(row: readonly string[] | undefined): string {
  return row === undefined ? 'no such row' : 'the row';
}

function sha256Of(content: Content): string {
  const hash = createHash('sha256');
  for (const [table, { columns, rows }] of content) {
    hash.update(JSON.stringify([table, columns]));
    for (const key of [...rows.keys()].sort()) hash.update(JSON.stringify(rows.get(key)));
  }
  return hash.digest('hex');
}
