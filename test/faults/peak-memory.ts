import { existsSync, readFileSync } from 'node:fs';

/** Resident memory of a process at its peak, MiB; null where the system does not tell. */
export function peakMemoryMiB(pid: number): number | null {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return null;
  const [, kiB] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8')) ?? [];
  return Math.round(Number(kiB) / 1024);
}
