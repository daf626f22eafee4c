import { isSameName } from '../changelog/changelog.js';
import { parseTimestamp } from '../clock/timestamp.js';
import type { TableConfig } from '../config/config.js';
import { identifier, template } from '../sql/template.js';
import type { Check } from './check.js';
import { fine, warning, type Seen } from './finding.js';
import type { OpenSchema } from './subjects.js';

/** Rows that are looked at in each table. */
const MAX_ROWS = 10_000;

/** Before the first computers had SQLite: such a time was read in the wrong unit, or never set. */
const EARLIEST_MS = Date.UTC(1980, 0, 1);

/** Whether the times of rows can be read by the configured format, and lie neither far back nor ahead. */
export const timestampsCheck: Check<OpenSchema> = {
  name: 'timestamps',
  look: ({ database, config, inspected, nowMs }) =>
    config.tables.flatMap((table): Seen[] => {
      if (
        table.timestampColumn === null ||
        !inspected.tables.some(({ name }) => isSameName(name, table.name))
      )
        return [];
      const sql = template('doctor/timestamps', {
        table: identifier(table.name),
        column: identifier(table.timestampColumn),
      });
      const rows = database.prepare<[{ limit: number }], { value: unknown }>(sql).all({ limit: MAX_ROWS });
      const times = rows.map(({ value }) => parseTimestamp(value, table.timestampFormat));
      return implausible(table, times, nowMs + config.clock.maxSkewMs);
    }),
};

/** What is wrong with these times (null: unreadable), or that nothing is. */
function implausible(
  { name, timestampColumn, timestampFormat }: TableConfig,
  times: readonly (number | null)[],
  latestMs: number,
): Seen[] {
  const column = `${name}.${timestampColumn}`;
  const of = (count: number) => `${count} of ${times.length} values of ${column}`;
  const unreadable = times.filter((time) => time === null).length;
  const early = times.filter((time) => time !== null && time < EARLIEST_MS).length;
  const ahead = times.filter((time) => time !== null && time > latestMs).length;
  const seen: Seen[] = [];
  if (unreadable > 0) {
    const said = `${of(unreadable)} are no times in the format ${timestampFormat}: the time of capture counts for these rows`;
    seen.push(warning(said, 'Correct timestamp_format, or what your application writes.'));
  }
  if (early > 0) {
    const said = `${of(early)} lie before 1980, so that these rows lose against every other edit`;
    seen.push(warning(said, 'Look whether timestamp_format has the unit that your application writes.'));
  }
  if (ahead > 0) {
    const said = `${of(ahead)} lie ahead of this clock: such edits count as of now`;
    seen.push(warning(said, 'Correct the clock, or timestamp_format; then write these rows again.'));
  }
  return seen.length > 0 ? seen : [fine(`${column}: the times of ${times.length} rows are plausible`)];
}
