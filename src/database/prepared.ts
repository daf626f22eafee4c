import type { Database, Statement } from 'better-sqlite3';
import type { Sql } from '../sql/template.js';

const statements = new WeakMap<Database, Map<Sql, Statement<unknown[], unknown>>>();

/**
 * Prepares once per connection and text, for statements that name no table of the user's: of those there is a fixed
 * number. Of the small ones that every transaction runs, preparing is most of what they cost.
 */
export function prepared<Bind extends unknown[], Row = unknown>(
  database: Database,
  sql: Sql,
): Statement<Bind, Row> {
  let ofDatabase = statements.get(database);
  if (ofDatabase === undefined) {
    ofDatabase = new Map();
    statements.set(database, ofDatabase);
  }
  let found = ofDatabase.get(sql);
  if (found === undefined) {
    found = database.prepare<unknown[], unknown>(sql);
    ofDatabase.set(sql, found);
  }
  return found as Statement<Bind, Row>;
}
