import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { Config } from '../config/config.js';
import { fileTime } from '../database/backup.js';

/**
 * What it was made for. Each is kept apart: whoever may ask for backups over HTTP must not be able to push those of the
 * schedule out.
 */
export type BackupKind = 'scheduled' | 'asked';

/** A backup in the folder of the configuration's `backup.dir`. */
export interface KeptBackup {
  /** Absolute. */
  readonly file: string;
  readonly kind: BackupKind;
  /** When it was begun, ms since 1970. */
  readonly atMs: number;
  readonly bytes: number;
}

/** As `fileTime` writes it. */
const TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)-(\d{3})Z(-asked)?$/;
const UNFINISHED = /\.\d+\.unfinished(?:-wal|-shm|-journal)?$/;

/** Where a backup that is begun now is put, such as `backups/my-app.desktop.20260301T020000-000Z.db`. */
export function newBackupFile(config: Config, kind: BackupKind, nowMs: number): string {
  const [before, after] = around(config);
  const asked = kind === 'asked' ? '-asked' : '';
  return join(config.backup.dir, `${before}${fileTime(nowMs)}${asked}${after}`);
}

/** The backups that this replica has put there, the newest first. Only files with such a name count. */
export function keptBackups(config: Config): KeptBackup[] {
  const kept = namesIn(config.backup.dir).flatMap((name) => {
    const ours = partsOf(config, name);
    if (ours === null) return [];
    const file = join(config.backup.dir, name);
    const found = statSync(file, { throwIfNoEntry: false });
    return found?.isFile() === true ? [{ file, ...ours, bytes: found.size }] : [];
  });
  return kept.sort((a, b) => b.atMs - a.atMs);
}

/** Removes those of our backups of this kind that are more than `backup.keep`, the oldest ones; returns their paths. */
export function dropOldBackups(config: Config, kind: BackupKind): string[] {
  const old = keptBackups(config)
    .filter((backup) => backup.kind === kind)
    .slice(config.backup.keep);
  for (const { file } of old) rmSync(file);
  return old.map(({ file }) => file);
}

/** Removes what a killed daemon left of a backup. Not while one is being made. */
export function dropUnfinished(config: Config): void {
  const left = namesIn(config.backup.dir).filter(
    (name) => UNFINISHED.test(name) && partsOf(config, name.replace(UNFINISHED, '')) !== null,
  );
  for (const name of left) rmSync(join(config.backup.dir, name), { force: true });
}

/** The node id stands in the name: replicas may share a folder. */
function around({ database, node }: Config): [before: string, after: string] {
  const after = extname(database.path);
  return [`${basename(database.path, after)}.${node.id}.`, after];
}

/** Null: not one of ours. */
function partsOf(config: Config, name: string): Pick<KeptBackup, 'kind' | 'atMs'> | null {
  const [before, after] = around(config);
  if (!name.startsWith(before) || !name.endsWith(after)) return null;
  const found = TIME.exec(name.slice(before.length, name.length - after.length));
  if (found === null) return null;
  const [year = 0, month = 1, ...rest] = found.slice(1, 8).map(Number);
  const atMs = Date.UTC(year, month - 1, ...rest);
  return { kind: found[8] === undefined ? 'scheduled' : 'asked', atMs };
}

function namesIn(folder: string): string[] {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(folder) : [];
}
