import { statSync } from 'node:fs';

/** Tells one file from another at the same path, also after it was moved: its inode number. Empty where there is none. */
export function fileIdOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? '' : String(stat.ino);
}
