import { isSameName } from '../changelog/changelog.js';
import type { Config } from '../config/config.js';
import type { ReplicatedTable } from '../database/replicable.js';
import type { TableShape } from '../wire/fingerprints.js';
import type { Check } from './check.js';
import { fine, warning, type Seen } from './finding.js';
import type { Probed } from './probe.js';

/** The probed peers, with our own tables to compare with. */
export interface ProbedTables extends Probed {
  readonly ours: readonly ReplicatedTable[];
}

const FIX = 'Bring both replicas to the same schema and the same tables in the configuration.';

/** Whether the peers replicate the same columns of the same tables by the same keys. */
export const peerTablesCheck: Check<ProbedTables> = {
  name: 'peer_tables',
  look: ({ probes, ours, config }) =>
    probes.flatMap(({ peer, tables }): Seen[] => {
      if (tables === null) return [];
      const seen = [
        ...ours.flatMap((table) => differences(table, tables, peer.name)),
        ...tables
          .filter((shape) => !isConfigured(config, shape))
          .map(({ name }) => `${peer.name} also replicates ${name}`),
      ].map((message) => warning(message, FIX));
      return seen.length > 0 ? seen : [fine(`${peer.name} replicates the same tables`)];
    }),
};

function isConfigured(config: Config, shape: TableShape): boolean {
  return config.tables.some(({ name }) => isSameName(name, shape.name));
}

function differences(table: ReplicatedTable, shapes: readonly TableShape[], peer: string): string[] {
  const shape = shapes.find(({ name }) => isSameName(name, table.name));
  if (shape === undefined) return [`${peer} does not replicate ${table.name}`];
  const key = table.key.map(({ name }) => name);
  if (lacking(key, shape.key).length + lacking(shape.key, key).length > 0) {
    return [`${table.name} has the key (${shape.key.join(', ')}) at ${peer}, and (${key.join(', ')}) here`];
  }
  const here = lacking(shape.columns, table.columns);
  const there = lacking(table.columns, shape.columns);
  return [
    ...(here.length === 0
      ? []
      : [`${table.name} lacks ${here.join(', ')} here: rows of ${peer} that have it are held in quarantine`]),
    ...(there.length === 0
      ? []
      : [`${table.name} lacks ${there.join(', ')} at ${peer}: our rows are held in its quarantine`]),
  ];
}

/** Those of `names` that are not among `others`. */
function lacking(names: readonly string[], others: readonly string[]): string[] {
  return names.filter((name) => !others.some((other) => isSameName(other, name)));
}
