import { dirname } from 'node:path';
import bytes from 'bytes';
import { freeBytesOf } from '../replica/disk.js';
import type { Check } from './check.js';
import { fault, fine } from './finding.js';
import type { Setup } from './subjects.js';

/** Whether there is room: below `database.low_disk` nothing is applied. */
export const diskCheck: Check<Setup> = {
  name: 'disk',
  async look({ config: { database } }) {
    const folder = dirname(database.path);
    const freeBytes = await freeBytesOf(folder);
    const left = `${sizeOf(freeBytes)} are free on the disk of ${folder}`;
    if (freeBytes >= database.lowDiskBytes) return [fine(left)];
    const limit = `below database.low_disk, ${sizeOf(database.lowDiskBytes)}, nothing is applied`;
    return [fault(`${left}: ${limit}`, 'Make room; pulling goes on by itself.')];
  },
};

function sizeOf(count: number): string {
  return bytes.format(count, { unitSeparator: ' ' }) ?? `${count} bytes`;
}
