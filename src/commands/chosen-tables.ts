import { isSameName } from '../changelog/changelog.js';
import type { Config } from '../config/config.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { SyncError } from '../errors.js';

/** The tables that `--table` names, all without it. Throws `table_unknown`. */
export function chosenTables(
  config: Config,
  tables: readonly ReplicatedTable[],
  names: readonly string[] | undefined,
): readonly ReplicatedTable[] {
  if (names === undefined) return tables;
  return names.map((name) => {
    const table = tables.find((candidate) => isSameName(candidate.name, name));
    if (table !== undefined) return table;
    throw new SyncError('table_unknown', `Table "${name}" is not configured in ${config.file}.`, {
      hint: `Configured: ${tables.map((candidate) => candidate.name).join(', ')}.`,
      exitCode: 2,
    });
  });
}
