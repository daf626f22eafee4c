import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { fileTime } from '../database/backup.js';
import { messageOf, SyncError } from '../errors.js';
import { literal, template, type Sql } from '../sql/template.js';
import type { Conversion, KeyMap } from './conversion.js';
import type { IdKind } from './uuid.js';

/** Keys of one INSERT. */
const KEYS_AT_ONCE = 500;

/** The SQL of both directions. */
export interface Scripts {
  readonly forward: string;
  readonly backward: string;
}

export interface ScriptParts {
  readonly folder: string;
  /** The database's path, for the headings. */
  readonly database: string;
  readonly ids: IdKind;
  readonly nowMs: number;
}

/**
 * Writes what was done and the way back, each to be run with `sqlite3 -bail DATABASE < FILE`. The maps are read from the
 * temporary tables of the connection that has converted.
 */
export function writeScripts(database: Database, conversion: Conversion, parts: ScriptParts): Scripts {
  const name = `${fileTime(parts.nowMs)}-convert-ids`;
  const scripts = {
    forward: join(parts.folder, `${name}.sql`),
    backward: join(parts.folder, `${name}-back.sql`),
  };
  try {
    mkdirSync(parts.folder, { recursive: true });
    const { maps, forward, backward } = conversion;
    const file = basename(parts.database);
    writeScript(scripts.forward, [
      `-- What convert-ids has done to ${file}. On another copy of it: sqlite3 -bail FILE < THIS`,
      // Those of --ids shared are computed, in whatever copy.
      ...scriptLines(forward, parts.ids === 'own' ? () => keyLines(database, maps) : () => []),
    ]);
    writeScript(scripts.backward, [
      `-- The way back of convert-ids in ${file}: sqlite3 -bail ${file} < THIS`,
      '-- Run migrate --down --purge first. What was added to the schema of these tables since is lost.',
      ...scriptLines(backward, () => keyLines(database, maps)),
    ]);
    return scripts;
  } catch (cause) {
    dropScripts(scripts);
    throw new SyncError('scripts_unwritable', `${parts.folder} can't be written: ${messageOf(cause)}`, {
      hint: 'Name another folder with --out, or make room. Nothing was changed.',
      cause,
    });
  }
}

export function dropScripts({ forward, backward }: Scripts): void {
  rmSync(forward, { force: true });
  rmSync(backward, { force: true });
}

/** The statements of one direction as lines; `keys` are known ones, to be entered before the rest is found. */
export function* scriptLines(
  { begin, fill, copy, swap, end }: Conversion['forward'],
  keys: () => Iterable<string>,
): Generator<string> {
  yield* ['PRAGMA foreign_keys = OFF;', 'PRAGMA legacy_alter_table = ON;', 'BEGIN IMMEDIATE;'];
  yield* begin.map(asLine);
  yield* keys();
  yield* [...fill, ...copy, ...swap, ...end].map(asLine);
  yield* ['COMMIT;', 'PRAGMA legacy_alter_table = OFF;'];
}

function asLine(sql: Sql): string {
  // A text of the schema may end in a comment; else it is to stay as it is.
  return sql.includes('--') ? `${sql}\n;` : `${sql};`;
}

function* keyLines(database: Database, maps: readonly KeyMap[]): Generator<string> {
  for (const { map } of maps) {
    let waiting: string[] = [];
    const rows = database
      .prepare<[], { old: bigint; new: string }>(template('convert/keys', { map }))
      .safeIntegers(true)
      .iterate();
    for (const row of rows) {
      waiting.push(`(${row.old}, ${literal(row.new)})`);
      if (waiting.length < KEYS_AT_ONCE) continue;
      yield insertOf(map, waiting);
      waiting = [];
    }
    if (waiting.length > 0) yield insertOf(map, waiting);
  }
}

function insertOf(map: Sql, values: readonly string[]): string {
  return `INSERT INTO temp.${map} (old, new) VALUES\n${values.join(',\n')};`;
}

function writeScript(file: string, lines: Iterable<string>): void {
  const handle = openSync(file, 'wx');
  try {
    for (const line of lines) writeSync(handle, `${line}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
