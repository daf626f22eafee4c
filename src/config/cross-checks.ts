import type { Fault } from './faults.js';
import type { ConfigFile } from './schema.js';
import { tlsFaults } from './tls.js';

/** Faults between keys that are each right by themselves; a section that has faults of its own is left out. */
export function crossFaults(file: Partial<ConfigFile>): Fault[] {
  return [
    ...tableFaults(file.tables ?? []),
    ...peerFaults(file.peers ?? [], file.node?.id ?? null),
    ...placeFaults(file),
    ...(file.clock === undefined ? [] : clockFaults(file.clock)),
    ...tlsFaults(file.security?.tls ?? null),
  ];
}

function tableFaults(tables: ConfigFile['tables']): Fault[] {
  return tables.flatMap((table, index): Fault[] => [
    ...repeated(tables, index, (each) => each.name.toLowerCase()).map((first) => ({
      path: ['tables', index, 'name'],
      message: `table ${JSON.stringify(table.name)} is named already in tables[${first}]`,
    })),
    ...listFaults(table.primary_key ?? [], ['tables', index, 'primary_key']),
    ...listFaults(table.exclude_columns, ['tables', index, 'exclude_columns']),
  ]);
}

function listFaults(columns: readonly string[], path: (string | number)[]): Fault[] {
  return columns.flatMap((column, index) =>
    repeated(columns, index, (each) => each.toLowerCase()).map(() => ({
      path: [...path, index],
      message: `column ${JSON.stringify(column)} is named twice`,
    })),
  );
}

function peerFaults(peers: ConfigFile['peers'], ownId: string | null): Fault[] {
  return peers.flatMap((peer, index): Fault[] => {
    const faults: Fault[] = [];
    if (peer.name === ownId) {
      faults.push({
        path: ['peers', index, 'name'],
        message: `${peer.name} is this replica's own node id`,
        hint: 'Every replica needs a node id of its own, and names only the others as peers.',
      });
    }
    for (const first of repeated(peers, index, (each) => each.name)) {
      faults.push({
        path: ['peers', index, 'name'],
        message: `${peer.name} is named already in peers[${first}]`,
      });
    }
    const found = peers.map((each, place) => ({ address: each.address ?? String(place) }));
    for (const first of repeated(found, index, (each) => each.address)) {
      faults.push({
        path: ['peers', index, 'address'],
        message: `is the address of peers[${first}] already`,
      });
    }
    return faults;
  });
}

/** We connect to a peer that we feed: at its address, or where discovery finds it. */
function placeFaults({ peers = [], network }: Partial<ConfigFile>): Fault[] {
  if (network?.discovery !== false) return [];
  return peers.flatMap(({ address, direction }, index): Fault[] => {
    if (address !== null || direction !== 'both') return [];
    const message =
      'expected an address (or network.discovery: true, which finds the peer): with direction: both we connect to it';
    return [{ path: ['peers', index, 'address'], message }];
  });
}

function clockFaults(clock: ConfigFile['clock']): Fault[] {
  if (clock.abort_skew >= clock.max_skew) return [];
  return [
    {
      path: ['clock', 'abort_skew'],
      message: 'expected to be at least max_skew, above which is only warned',
    },
  ];
}

/** The place of an earlier entry that is the same, if there is one. */
function repeated<T>(entries: readonly T[], index: number, keyOf: (entry: T) => string): number[] {
  const entry = entries[index];
  if (entry === undefined) return [];
  const first = entries.findIndex((each) => keyOf(each) === keyOf(entry));
  return first < index ? [first] : [];
}
