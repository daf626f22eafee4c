import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TableConfig } from './config.js';
import type { Fault } from './faults.js';
import type { Path } from './schema-keys.js';
import type { ConfigFile } from './schema.js';

type Strategy = Pick<TableConfig, 'conflictResolution' | 'preferredNode' | 'resolver'>;
type TableKeys = ConfigFile['tables'][number];

/** How conflicts in a table are decided: what it says itself, else what `sync` says for all. */
export function strategyOf(table: TableKeys, sync: ConfigFile['sync'], folder: string): Strategy {
  const conflictResolution = table.conflict_resolution ?? sync.conflict_resolution;
  const preferred = table.preferred_node ?? sync.preferred_node;
  const resolver = table.resolver ?? sync.resolver;
  return {
    conflictResolution,
    preferredNode: conflictResolution === 'source_wins' ? preferred : null,
    resolver: conflictResolution === 'custom' && resolver !== null ? resolve(folder, resolver) : null,
  };
}

/** A strategy that lacks what it needs, or is given what only another one needs. */
export function strategyFaults({ sync, tables = [] }: Partial<ConfigFile>, folder: string): Fault[] {
  if (sync === undefined) return [];
  const used = tables.map((table) => table.conflict_resolution ?? sync.conflict_resolution);
  const perTable = tables.flatMap((table, index) => {
    const own = { ...table, conflict_resolution: used[index] ?? sync.conflict_resolution };
    const given = {
      preferred_node: table.preferred_node ?? sync.preferred_node,
      resolver: table.resolver ?? sync.resolver,
    };
    // What sync itself lacks is named once, there.
    const lacking = table.conflict_resolution === null ? [] : lackingFaults(own, given, ['tables', index]);
    return [...lacking, ...uselessFaults(own, [own.conflict_resolution], ['tables', index])];
  });
  return [
    ...lackingFaults(sync, sync, ['sync']),
    ...uselessFaults(sync, [sync.conflict_resolution, ...used], ['sync']),
    ...perTable,
    ...[sync, ...tables].flatMap(({ resolver }, index) =>
      fileFaults(resolver, folder, index === 0 ? ['sync'] : ['tables', index - 1]),
    ),
  ];
}

type Given = Pick<TableKeys, 'preferred_node' | 'resolver'>;

function lackingFaults(
  { conflict_resolution }: Pick<ConfigFile['sync'], 'conflict_resolution'>,
  given: Given,
  path: Path,
): Fault[] {
  if (conflict_resolution === 'source_wins' && given.preferred_node === null) {
    return [
      { path: [...path, 'preferred_node'], message: 'expected the node id whose edits source_wins prefers' },
    ];
  }
  if (conflict_resolution === 'custom' && given.resolver === null) {
    return [{ path: [...path, 'resolver'], message: 'expected the path of the module that custom calls' }];
  }
  return [];
}

function uselessFaults(own: Given, used: readonly string[], path: Path): Fault[] {
  const faults: Fault[] = [];
  if (own.preferred_node !== null && !used.includes('source_wins')) {
    faults.push({ path: [...path, 'preferred_node'], message: useless('source_wins') });
  }
  if (own.resolver !== null && !used.includes('custom')) {
    faults.push({ path: [...path, 'resolver'], message: useless('custom') });
  }
  return faults;
}

function useless(strategy: string): string {
  return `has no use without conflict_resolution: ${strategy}`;
}

function fileFaults(resolver: string | null, folder: string, path: Path): Fault[] {
  if (resolver === null) return [];
  const file = resolve(folder, resolver);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return [];
  return [{ path: [...path, 'resolver'], message: `there is no file ${file}` }];
}
