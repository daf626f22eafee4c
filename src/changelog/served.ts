import { recordColumns } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { joinSql, literal, statement, template } from '../sql/template.js';
import { tableNamed, type Changelog } from './changelog.js';
import { logStretches, type LogStretch } from './log-stretches.js';
import { drawMark, headOf } from './marks.js';

/*
 * A table that is away while a peer pulls, because the application rebuilds it, or because it is not configured for a
 * while, has no row to send: cursors go past its versions. When it is back they enter the log again.
 */

/** Notes which tables are served, and which of those that were are not now. Call inside a write transaction. */
export function noteServed(changelog: Changelog): void {
  const tables = JSON.stringify(changelog.tables.map(({ name }) => name));
  changelog.prepare(statement('served/note-present')).run({ tables });
  changelog.prepare(statement('served/note-away')).run({ tables });
}

/** Configured tables that don't fit, of which no write transaction has taken note yet: no cursor may pass their versions. */
export function goingAway(changelog: Changelog): string[] {
  if (changelog.unfit.length === 0) return [];
  const served = namesOf(changelog, 0);
  return changelog.unfit.filter((name) => served.has(name.toLowerCase()));
}

/** Tables that are back, and whose versions `enterAgain` has to enter. */
export function returnedTables(changelog: Changelog): ReplicatedTable[] {
  return [...namesOf(changelog, 1)].flatMap((name) => tableNamed(changelog, name) ?? []);
}

/**
 * Enters the versions of a table again, by stretches of so many entries of the log, each within `write`, a write
 * transaction. A crash on the way leaves it to be done again.
 */
export async function enterAgain(
  table: ReplicatedTable,
  entries: number,
  {
    changelog,
    write,
  }: {
    readonly changelog: () => Changelog;
    readonly write: (work: () => void) => Promise<void>;
  },
): Promise<void> {
  const head = headOf(changelog().database);
  for (const stretch of logStretches(changelog, head, entries)) {
    await write(() => {
      enterStretch(changelog(), table, stretch);
    });
  }
  await write(() => {
    changelog().prepare(statement('served/note-back')).run({ table: table.name });
  });
}

function enterStretch(changelog: Changelog, table: ReplicatedTable, stretch: LogStretch): void {
  const holes = {
    recordColumns: joinSql(recordColumns(table.key.length), ', '),
    tableName: literal(table.name),
  };
  const { changes } = changelog.prepare(template('served/enter-again', holes)).run(stretch);
  if (changes === 0) return;
  changelog.prepare(template('served/drop-before', { tableName: holes.tableName })).run(stretch);
  drawMark(changelog.database);
}

function namesOf(changelog: Changelog, away: 0 | 1): Set<string> {
  const rows = changelog.prepare(statement('served/names')).all({ away }) as { name: string }[];
  return new Set(rows.map(({ name }) => name.toLowerCase()));
}
