import type { Answers } from './config-text.js';

/** The findings as `init --json` prints them; names as in the configuration file. */
export function findingsJson(answers: Answers) {
  return {
    node: { id: answers.nodeId, listen: answers.listen },
    database: { path: answers.databasePath },
    peers: answers.peers,
    tables: answers.tables.map((table) => ({
      name: table.name,
      kind: table.kind,
      replicable: table.replicable,
      reason: table.reason,
      remedy: table.remedy,
      primary_key: table.key,
      timestamp_column: table.timestampColumn,
      timestamp_format: table.timestampColumn === null ? null : table.timestampFormat,
      soft_delete_column: table.softDeleteColumn,
      notes: table.notes,
    })),
  };
}
