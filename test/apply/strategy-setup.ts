import { expect } from 'chai';
import type { TableConfig } from '#src/config/config.js';
import { tableConfig, type QuickGroup, type QuickReplica } from '../replication/quick-replica.js';

/** What tests of strategies write to; `local_only` is not replicated. */
export const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, body, count INTEGER CHECK (count < 100), local_only);
  CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT UNIQUE);
`;

export function tablesWith(strategy: Partial<TableConfig>): TableConfig[] {
  return [
    tableConfig('words', { excludeColumns: ['local_only'], ...strategy }),
    tableConfig('users', strategy),
  ];
}

/** Writes, and folds at once, a moment after whatever was written before in the group. */
export function writeLater(group: QuickGroup, replica: QuickReplica, sql: string): void {
  group.nowMs += 10;
  replica.app.exec(sql);
  replica.app.exec(`UPDATE _sync_changes SET timestamp = ${group.nowMs} WHERE origin IS NULL`);
  replica.fold();
}

/** All pull from each other until nothing is left to say. */
export function meet(...replicas: QuickReplica[]): void {
  for (let round = 0; round < 4; round += 1) {
    for (const one of replicas) for (const other of replicas) if (one !== other) one.pullFrom(other);
  }
}

export function expectQuiet(...replicas: QuickReplica[]): void {
  for (const one of replicas)
    for (const other of replicas) if (one !== other) expect(one.pullFrom(other).received).to.equal(0);
}

/** Of each replica the bodies of its words, as one text. */
export function bodies(...replicas: QuickReplica[]): unknown[] {
  return replicas.map((one) => one.app.prepare('SELECT body FROM words ORDER BY id').pluck().all().join());
}
