import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

/** A new empty folder; removed when the test process ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sqlite-p2p-sync-'));
  if (folders.push(folder) === 1) process.once('exit', removeAll);
  return folder;
}

/** A file with this content, alone in a new folder; its path. */
export function scratchFile(content: string | Uint8Array, name = 'sync-config.yaml'): string {
  const file = join(scratchFolder(), name);
  writeFileSync(file, content);
  return file;
}

function removeAll(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
