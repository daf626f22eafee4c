import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Check } from './check.js';
import { fault, fine } from './finding.js';
import type { Setup } from './subjects.js';

/** File systems that other machines share, by the number that Linux gives them (statfs(2)). */
const SHARED: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x01021997, '9p (a folder of another system)'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
]);

/** The name of a file system that is shared with other machines; null for every other. */
export function sharedFileSystem(type: number): string | null {
  return SHARED.get(type) ?? null;
}

/** Whether the database lies on a disk of this machine: over a network neither WAL nor SQLite's locks can be relied on. */
export const fileSystemCheck: Check<Setup> = {
  name: 'file_system',
  look({ config }) {
    const folder = dirname(config.database.path);
    // the numbers mean something else, or nothing, on other systems
    if (process.platform !== 'linux')
      return [fine('which file system the database is on can be told on Linux only')];
    const shared = sharedFileSystem(statfsSync(folder).type);
    if (shared === null) return [fine(`${folder} is on no network file system that is known`)];
    return [
      fault(
        `${folder} is on ${shared}: WAL needs memory that all programs share, and locks over a network can fail`,
        'Move the database to a local disk of the machine that its application runs on.',
      ),
    ];
  },
};
