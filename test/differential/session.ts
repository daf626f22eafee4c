import fc from 'fast-check';

/** One step of a random session: what kind, and numbers that the running session makes SQL of. */
export interface Step {
  readonly kind: (typeof KINDS)[number];
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

const KINDS = [
  'insert',
  'insert',
  'insert',
  'upsert',
  'update',
  'update',
  'update-key',
  'delete',
  'delete-all',
  'transaction',
  'transaction',
  'savepoint',
  'pragma',
  'add-column',
  'drop-column',
  'rename-column',
  'index',
  'rebuild',
  'vacuum',
  'pull',
  'pull',
  'pull',
] as const;

const number = fc.nat({ max: 1_000 });

export const session = fc.record({
  schema: fc.nat({ max: 999 }),
  steps: fc.array(
    fc.record<Step>({ kind: fc.constantFrom(...KINDS), a: number, b: number, c: number, d: number }),
    { minLength: 5, maxLength: 40 },
  ),
});

interface Shape {
  readonly create: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
  readonly timestamp: string | null;
}

/** Table shapes that SQLite treats differently; `%` is the table's name. */
const SHAPES: readonly Shape[] = [
  {
    create: 'CREATE TABLE % (id TEXT NOT NULL PRIMARY KEY, u TEXT UNIQUE, v, updated_at INTEGER)',
    key: ['id'],
    columns: ['u', 'v', 'updated_at'],
    timestamp: 'updated_at',
  },
  {
    create: 'CREATE TABLE % (id TEXT COLLATE NOCASE NOT NULL PRIMARY KEY, u INTEGER, v TEXT, UNIQUE (u, v))',
    key: ['id'],
    columns: ['u', 'v'],
    timestamp: null,
  },
  {
    create:
      'CREATE TABLE % (a TEXT, b INTEGER, u TEXT UNIQUE ON CONFLICT REPLACE, v BLOB, PRIMARY KEY (b, a)) WITHOUT ROWID',
    key: ['a', 'b'],
    columns: ['u', 'v'],
    timestamp: null,
  },
  {
    create: 'CREATE TABLE % (id BLOB PRIMARY KEY NOT NULL, u REAL UNIQUE, v ANY, w INT CHECK (w < 5)) STRICT',
    key: ['id'],
    columns: ['u', 'v', 'w'],
    timestamp: null,
  },
  {
    create: 'CREATE TABLE % (id NOT NULL PRIMARY KEY, v, w AS (v || 1), u TEXT COLLATE NOCASE UNIQUE)',
    key: ['id'],
    columns: ['v', 'u'],
    timestamp: null,
  },
  {
    create: 'CREATE TABLE % (id INTEGER PRIMARY KEY, u TEXT UNIQUE, v NUMERIC)',
    key: ['id'],
    columns: ['u', 'v'],
    timestamp: null,
  },
];

const VALUES = [
  "'a'",
  "'A'",
  "'b'",
  "'c'",
  'NULL',
  '1',
  '1.0',
  "'1'",
  '2',
  '3',
  "x'61'",
  '-0.0',
  '9007199254740993',
  "''",
];
const CONFLICT = ['', '', 'OR IGNORE', 'OR REPLACE', 'OR REPLACE', 'OR ABORT', 'OR FAIL', 'OR ROLLBACK'];

export interface TableOfSession {
  readonly name: string;
  readonly key: readonly string[];
  readonly timestamp: string | null;
  columns: string[];
  /** True once columns were renamed, added with a default or dropped: rows then differ from their fingerprints. */
  altered: boolean;
  /** True where the schema itself says ON CONFLICT REPLACE. */
  readonly replaces: boolean;
}

/** What a session's database looks like, and the SQL of its steps as it looks then. */
export class SessionSchema {
  readonly tables: readonly TableOfSession[];
  readonly create: string;
  private added = 0;

  constructor(seed: number) {
    const first = SHAPES[seed % SHAPES.length]!;
    const second = SHAPES[Math.floor(seed / SHAPES.length) % SHAPES.length]!;
    this.tables = [first, second].map((shape, index) => ({
      name: index === 0 ? 'one' : 'two "x"',
      key: shape.key,
      timestamp: shape.timestamp,
      columns: [...shape.columns],
      altered: false,
      replaces: shape.create.includes('ON CONFLICT REPLACE'),
    }));
    const creates = [first, second].map((shape, index) =>
      shape.create.replace('%', quoted(this.tables[index]?.name ?? '')),
    );
    const child = `CREATE TABLE child (id TEXT NOT NULL PRIMARY KEY, parent REFERENCES one (${first.key[0]}) ON DELETE CASCADE ON UPDATE CASCADE)`;
    this.tables = [...this.tables, ...(first.key.length === 1 ? [childTable()] : [])];
    this.create = [
      'CREATE TABLE local (n INTEGER PRIMARY KEY)',
      ...creates,
      ...(first.key.length === 1 ? [child] : []),
    ].join(';\n');
  }

  /** The SQL of a data step. */
  sqlOf(step: Step): string {
    const table = this.pick(step.a);
    const name = quoted(table.name);
    const conflict = CONFLICT[step.d % CONFLICT.length] ?? '';
    const returning = step.d % 5 === 0 ? ' RETURNING *' : '';
    switch (step.kind) {
      case 'insert':
        return `INSERT ${conflict} INTO ${name} (${this.names(table)}) VALUES (${this.values(table, step)})${returning}`;
      case 'upsert':
        return `INSERT INTO ${name} (${this.names(table)}) VALUES (${this.values(table, step)})
          ON CONFLICT DO ${step.d % 2 === 0 ? 'NOTHING' : `UPDATE SET ${this.assign(table, step)}`}${returning}`;
      case 'update':
        return `UPDATE ${conflict} ${name} SET ${this.assign(table, step)} WHERE ${this.rowsOf(table, step)}${returning}`;
      case 'update-key':
        return `UPDATE ${conflict} ${name} SET ${quoted(table.key[step.c % table.key.length] ?? '')} = ${value(step.b)} WHERE ${this.rowsOf(table, step)}`;
      case 'delete':
        return `DELETE FROM ${name} WHERE ${this.where(table, step)}${returning}`;
      case 'delete-all':
        return `DELETE FROM ${name}`;
      case 'transaction':
        return ['BEGIN', 'BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'][step.b % 4] ?? '';
      case 'savepoint':
        return ['SAVEPOINT s', 'RELEASE s', 'ROLLBACK TO s'][step.b % 3] ?? '';
      case 'pragma':
        return [
          'PRAGMA recursive_triggers = ON',
          'PRAGMA recursive_triggers = OFF',
          'PRAGMA foreign_keys = ON',
          'PRAGMA foreign_keys = OFF',
          'PRAGMA trusted_schema = OFF',
        ][step.b % 5]!;
      default:
        throw new TypeError(`Expected a data step, not ${step.kind}`);
    }
  }

  /** The statements of a step that changes the schema, and what to remember once they have worked. */
  changeOf(step: Step): { statements: string[]; done: () => void } {
    const table = this.tables[step.a % 2]!;
    const name = quoted(table.name);
    const plain = table.columns.filter((column) => column.startsWith('x'));
    table.altered ||= step.kind.endsWith('-column');
    const chosen = plain[step.b % Math.max(1, plain.length)];
    switch (step.kind) {
      case 'add-column': {
        const added = `x${(this.added += 1)}`;
        const sql = `ALTER TABLE ${name} ADD COLUMN ${added}${step.b % 2 === 0 ? " TEXT DEFAULT 'd'" : ' INTEGER'}`;
        return { statements: [sql], done: () => table.columns.push(added) };
      }
      case 'drop-column': {
        if (chosen === undefined) return { statements: [], done: () => undefined };
        const done = () => (table.columns = table.columns.filter((column) => column !== chosen));
        return { statements: [`ALTER TABLE ${name} DROP COLUMN ${chosen}`], done };
      }
      case 'rename-column': {
        const renamed = `x${(this.added += 1)}`;
        const from = chosen ?? 'v';
        if (!table.columns.includes(from)) return { statements: [], done: () => undefined };
        const done = () =>
          (table.columns = table.columns.map((column) => (column === from ? renamed : column)));
        return { statements: [`ALTER TABLE ${name} RENAME COLUMN ${from} TO ${renamed}`], done };
      }
      case 'index': {
        const kind = step.b % 3 === 0 ? 'UNIQUE' : '';
        const column = table.columns[step.c % table.columns.length] ?? 'v';
        const where = step.d % 2 === 0 ? '' : ` WHERE ${column} IS NOT NULL`;
        const index = `i${step.b % 4}`;
        return {
          statements: [
            `DROP INDEX IF EXISTS ${index}`,
            `CREATE ${kind} INDEX ${index} ON ${name} (${column}, ${table.key[0]})${where}`,
          ],
          done: () => undefined,
        };
      }
      default:
        return { statements: step.kind === 'vacuum' ? ['VACUUM'] : [], done: () => undefined };
    }
  }

  private pick(number: number): TableOfSession {
    return this.tables[number % this.tables.length]!;
  }

  private names(table: TableOfSession): string {
    return [...table.key, ...table.columns].map(quoted).join(', ');
  }

  private values(table: TableOfSession, step: Step): string {
    return [...table.key, ...table.columns].map((_, index) => value(step.b + index * step.c)).join(', ');
  }

  private assign(table: TableOfSession, step: Step): string {
    const column = table.columns[step.c % table.columns.length] ?? table.key[0] ?? '';
    return `${quoted(column)} = ${step.d % 3 === 0 ? quoted(column) : value(step.b)}`;
  }

  /**
   * Which rows an update takes. Where one that comes first can keep the next from being written, it is one row: the order
   * in which SQLite visits several is its own affair, and triggers change its plan (docs/guarantees.md).
   */
  private rowsOf(table: TableOfSession, step: Step): string {
    const first = CONFLICT[step.d % CONFLICT.length] !== '' || table.replaces;
    if (!first) return this.where(table, step);
    return table.key
      .map((name, index) => `${quoted(name)} IS ${value(step.d + index * step.c)}`)
      .join(' AND ');
  }

  private where(table: TableOfSession, step: Step): string {
    const column = [...table.key, ...table.columns][step.c % (table.key.length + table.columns.length)] ?? '';
    return step.d % 7 === 0 ? '1' : `${quoted(column)} IS ${value(step.d)}`;
  }
}

function childTable(): TableOfSession {
  return {
    name: 'child',
    key: ['id'],
    timestamp: null,
    columns: ['parent'],
    altered: false,
    replaces: false,
  };
}

function value(number: number): string {
  return VALUES[number % VALUES.length] ?? 'NULL';
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
