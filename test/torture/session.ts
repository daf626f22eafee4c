import type { SqlValue } from '#src/wire/value.js';
import type { Step } from './foreign-writers.js';

/** Tables of an application that uses what SQLite offers, and trips over it now and then. */
export const APP_SCHEMA = `
  CREATE TABLE customers (
    id TEXT PRIMARY KEY, email TEXT UNIQUE, name TEXT NOT NULL DEFAULT 'nobody', age INTEGER CHECK (age >= 0),
    kind AS (CASE WHEN age >= 18 THEN 'adult' ELSE 'child' END));
  CREATE UNIQUE INDEX customers_name ON customers (lower(name)) WHERE age IS NOT NULL;
  CREATE TABLE orders (
    id TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES customers (id) ON DELETE CASCADE ON UPDATE CASCADE,
    total REAL, at INTEGER);
  CREATE TABLE lines (
    order_id TEXT REFERENCES orders (id) ON DELETE CASCADE ON UPDATE CASCADE, n INTEGER, what TEXT,
    PRIMARY KEY (order_id, n)) WITHOUT ROWID;
  CREATE TABLE numbers (id INTEGER PRIMARY KEY AUTOINCREMENT, value, UNIQUE (value) ON CONFLICT REPLACE);
  CREATE TABLE typed (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL, note ANY) STRICT;
  CREATE TABLE log (n INTEGER PRIMARY KEY, what TEXT);
  CREATE TRIGGER orders_log AFTER INSERT ON orders BEGIN INSERT INTO log (what) VALUES (NEW.id); END;
  CREATE TRIGGER orders_no_negative BEFORE UPDATE ON orders WHEN NEW.total < 0
    BEGIN SELECT RAISE(ABORT, 'negative total'); END;
  CREATE TRIGGER lines_ignored BEFORE INSERT ON lines WHEN NEW.what = 'ignore' BEGIN SELECT RAISE(IGNORE); END;
  CREATE VIEW adults AS SELECT * FROM customers WHERE kind = 'adult';
  CREATE TRIGGER adults_insert INSTEAD OF INSERT ON adults BEGIN
    INSERT INTO customers (id, email, age) VALUES (NEW.id, NEW.email, 18); END`;

export const APP_TABLES = [
  { name: 'customers' },
  { name: 'orders', timestamp_column: 'at' },
  { name: 'lines' },
  { name: 'numbers', allow_integer_key: true },
  { name: 'typed', allow_integer_key: true },
];

const MANY: readonly (readonly SqlValue[])[] = Array.from({ length: 20 }, (_, index) => [
  `m${index % 15}`,
  `m${index % 12}@x`,
  BigInt(index),
]);

/** What the application does; some of it fails, as it does without us. */
export const APP_SESSION: readonly Step[] = [
  `INSERT INTO customers (id, email, name, age) VALUES ('a', 'a@x', 'Ann', 30), ('b', 'b@x', 'Bob', 10), ('c', 'c@x', 'Cid', 5)`,
  `INSERT INTO orders VALUES ('o1', 'a', 10.5, 1), ('o2', 'a', 20, 2), ('o3', 'b', 30, 3)`,
  `INSERT INTO lines VALUES ('o1', 1, 'x'), ('o1', 2, 'ignore'), ('o2', 1, 'y'), ('o3', 1, 'z')`,
  // every conflict clause, against the key, a unique column, an expression index, NOT NULL, CHECK and a reference
  ...['ABORT', 'FAIL', 'IGNORE', 'REPLACE', 'ROLLBACK'].flatMap((clause) => [
    `INSERT OR ${clause} INTO customers (id, email, name) VALUES ('new ${clause}', 'n${clause}', 'n${clause}'), ('a', 'z${clause}', 'Z'), ('late ${clause}', 'l', 'l')`,
    `INSERT OR ${clause} INTO customers (id, email, name) VALUES ('e ${clause}', 'b@x', 'e')`,
    `INSERT OR ${clause} INTO customers (id, email, name, age) VALUES ('f ${clause}', 'f${clause}', 'CID', 1)`,
    `INSERT OR ${clause} INTO customers (id, name) VALUES ('g ${clause}', NULL)`,
    `INSERT OR ${clause} INTO customers (id, age) VALUES ('h ${clause}', -1)`,
    `INSERT OR ${clause} INTO orders VALUES ('o ${clause}', 'nobody', 1, 1)`,
    `UPDATE OR ${clause} customers SET email = 'same' WHERE id IN ('b', 'c')`,
    `UPDATE OR ${clause} customers SET id = 'c' WHERE id = 'b'`,
    `UPDATE OR ${clause} numbers SET id = 1`,
    `INSERT OR ${clause} INTO lines VALUES ('o1', 1, 'again'), ('o1', 3, 'ignore'), ('o1', 4, 'more')`,
  ]),
  `INSERT INTO customers (id, email, name) VALUES ('a', 'u@x', 'U') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, name`,
  `INSERT INTO customers (id, email) VALUES ('v', 'u@x') ON CONFLICT DO NOTHING`,
  `INSERT INTO customers (id, email) VALUES ('w', 'a@x'), ('x', 'x@x') ON CONFLICT (email) DO UPDATE SET age = 77 WHERE age > 1000`,
  { sql: `INSERT OR REPLACE INTO customers (id, email, age) VALUES (?, ?, ?)`, many: MANY },
  {
    sql: `INSERT INTO numbers (value) VALUES (?)`,
    many: [[1n], [1], ['1'], [null], [Buffer.from('1')], [1n]],
  },
  `INSERT INTO numbers VALUES (100, 'far'), (NULL, 'next') RETURNING id, value, typeof(value)`,
  `REPLACE INTO numbers (value) SELECT value FROM numbers`,
  `INSERT INTO typed VALUES (1, 5, 1.0), (NULL, 6, x'00') RETURNING *`,
  `INSERT INTO typed (amount) VALUES ('not a number')`,
  `UPDATE typed SET amount = amount * 2, note = typeof(note) RETURNING id, amount, note`,
  `INSERT INTO adults (id, email) VALUES ('view', 'view@x')`,
  `UPDATE orders SET total = -1`,
  `UPDATE orders SET total = total + 1 WHERE id = 'o1' RETURNING total, (SELECT count(*) FROM log)`,
  'SAVEPOINT one',
  `UPDATE customers SET id = upper(id)`,
  'SAVEPOINT two',
  `DELETE FROM orders`,
  `INSERT INTO numbers (value) VALUES ('lost')`,
  'ROLLBACK TO two',
  `INSERT INTO numbers (value) VALUES ('kept')`,
  'RELEASE one',
  'BEGIN IMMEDIATE',
  `DELETE FROM lines WHERE n > 1`,
  `INSERT OR ROLLBACK INTO customers (id) VALUES ('view'), ('view')`,
  'COMMIT',
  'BEGIN',
  `INSERT OR FAIL INTO customers (id, email) VALUES ('p', 'p'), ('VIEW', 'q'), ('view', 'r')`,
  'COMMIT',
  `CREATE TEMP TABLE mine AS SELECT id FROM customers`,
  `UPDATE customers SET age = coalesce(age, 0) + 1 FROM mine WHERE mine.id = customers.id AND customers.id < 'N'`,
  `WITH picked AS (SELECT id FROM customers ORDER BY id LIMIT 2) DELETE FROM customers WHERE id IN picked RETURNING id`,
  `INSERT INTO customers (id, name) SELECT 'copy ' || id, 'copy ' || id FROM customers`,
  `SELECT count(*), sum(age), group_concat(id) FROM (SELECT * FROM customers ORDER BY id)`,
  `DELETE FROM lines`,
  `DELETE FROM numbers`,
  `INSERT INTO numbers (value) VALUES ('after')`,
  `DELETE FROM customers WHERE id LIKE 'copy%'`,
  `SELECT max(rowid) FROM customers`,
  `ALTER TABLE typed ADD COLUMN more TEXT DEFAULT 'm'`,
  `UPDATE typed SET more = 'x' WHERE id = 1`,
  `PRAGMA integrity_check`,
  `PRAGMA foreign_key_check`,
].map((step) => (typeof step === 'string' ? { sql: step } : step));
