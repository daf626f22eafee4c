import type { Database } from 'better-sqlite3';
import { identifier, literal, statement, template, verbatim, type Sql } from '../sql/template.js';
import { isKeyword, isName, tokensOf, type Token } from '../sql/tokens.js';

/** A trigger of the app's own. */
export interface AppTrigger {
  readonly name: string;
  /** The table or view whose writes fire it. */
  readonly table: string;
  readonly sql: string;
  /** The tables that its body writes. */
  readonly writes: readonly string[];
  /** True where it already rests while remote changes are applied. */
  readonly guarded: boolean;
}

const GUARD = '(SELECT applying FROM _sync_guard) IS NOT 1';

/** Reads the app's triggers with what they write. */
export function readAppTriggers(database: Database): AppTrigger[] {
  const rows = database
    .prepare<[], { name: string; tableName: string; sql: string }>(statement('migrate/app-triggers'))
    .all();
  return rows.map((row) => ({
    name: row.name,
    table: row.tableName,
    sql: row.sql,
    writes: writesOf(bodyOf(tokensOf(row.sql))),
    guarded: row.sql.includes(GUARD),
  }));
}

/**
 * The triggers that would write a replicated table while remote changes are applied: fired by a replicated table,
 * directly or through another trigger, and not guarded. What they write there would differ from replica to replica, or
 * go round for ever; what they write elsewhere (a search index) must happen everywhere.
 */
export function interferingTriggers(
  triggers: readonly AppTrigger[],
  replicated: readonly string[],
): AppTrigger[] {
  const isReplicated = (table: string): boolean => replicated.some((name) => isSame(name, table));
  const reached = new Set(replicated.map((name) => name.toLowerCase()));
  for (let before = -1; before !== reached.size;) {
    before = reached.size;
    for (const trigger of triggers) {
      if (trigger.guarded || !reached.has(trigger.table.toLowerCase())) continue;
      for (const table of trigger.writes) reached.add(table.toLowerCase());
    }
  }
  return triggers.filter(
    (trigger) =>
      !trigger.guarded && reached.has(trigger.table.toLowerCase()) && trigger.writes.some(isReplicated),
  );
}

/** The same trigger, resting while remote changes are applied. */
export function guardedSql(sql: string): Sql {
  const tokens = tokensOf(sql);
  const begin = tokens[bodyStart(tokens)];
  if (begin === undefined) throw new TypeError(`Expected a trigger, not ${sql}`);
  const when = tokens.slice(0, bodyStart(tokens)).find((token) => isKeyword(token, 'WHEN'));
  const head = when === undefined ? sql.slice(0, begin.start) : sql.slice(0, when.start);
  // On lines of their own: the app's text may end in a comment.
  const condition = when === undefined ? '' : `(${sql.slice(when.end, begin.start).trim()}\n) AND `;
  return verbatim(`${head.trimEnd()}\nWHEN ${condition}${GUARD}\n${sql.slice(begin.start)}`);
}

/** The statements that put guards on these triggers, and keep their text for `planUnguarding`. */
export function planGuarding(triggers: readonly AppTrigger[]): Sql[] {
  return triggers.flatMap((trigger) => [
    template('migrate/note-guarded', { name: literal(trigger.name), sql: literal(trigger.sql) }),
    template('migrate/drop-trigger', { trigger: identifier(trigger.name) }),
    guardedSql(trigger.sql),
  ]);
}

/** The triggers that the owner has let us guard once, by name: an app that rebuilds a table makes them anew, without. */
export function guardedBefore(database: Database, triggers: readonly AppTrigger[]): AppTrigger[] {
  const kept = keptTriggers(database);
  return triggers.filter((trigger) => kept.some((other) => isSame(other.name, trigger.name)));
}

/** What a trigger does, in words for a person. */
export function describeTrigger({ name, table, writes }: AppTrigger): string {
  return `"${name}" on "${table}" writes ${writes.join(', ')}`;
}

/** The statements that put the app's own text back; a trigger that the app has dropped meanwhile stays away. */
export function planUnguarding(database: Database): Sql[] {
  const kept = keptTriggers(database);
  if (kept.length === 0) return [];
  const present = readAppTriggers(database).filter((trigger) => trigger.guarded);
  const restored = kept.filter((trigger) => present.some((other) => isSame(other.name, trigger.name)));
  return [
    ...restored.flatMap((trigger) => [
      template('migrate/drop-trigger', { trigger: identifier(trigger.name) }),
      verbatim(trigger.sql),
    ]),
    statement('migrate/forget-guarded'),
  ];
}

function keptTriggers(database: Database) {
  const sql = statement('migrate/guarded-triggers');
  return database.prepare<[], { name: string; sql: string }>(sql).all();
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Where the body's BEGIN stands; `NEW.begin` in a WHEN is a column. */
function bodyStart(tokens: readonly Token[]): number {
  return tokens.findIndex((token, place) => isKeyword(token, 'BEGIN') && tokens[place - 1]?.text !== '.');
}

function bodyOf(tokens: readonly Token[]): Token[] {
  return tokens.slice(bodyStart(tokens) + 1);
}

/** The targets of INSERT, REPLACE, UPDATE and DELETE at the start of a statement, or behind its WITH. */
function writesOf(body: readonly Token[]): string[] {
  const targets = body.flatMap((token, place) => {
    if (!isKeyword(token, 'INTO', 'UPDATE', 'FROM') || !isVerb(body, place)) return [];
    const target = body[afterConflictClause(body, place + 1)];
    return isName(target) ? [target.name] : [];
  });
  return [...new Set(targets)];
}

function isVerb(body: readonly Token[], place: number): boolean {
  const token = body[place];
  const before = body[place - 1];
  if (isKeyword(token, 'FROM')) return isKeyword(before, 'DELETE');
  if (isKeyword(token, 'INTO')) return true;
  // ON CONFLICT DO UPDATE SET writes the table that its INSERT names.
  return !isKeyword(before, 'DO') && before?.text !== '.';
}

/** Skips the OR ABORT of an UPDATE. */
function afterConflictClause(body: readonly Token[], place: number): number {
  return isKeyword(body[place], 'OR') ? place + 2 : place;
}
