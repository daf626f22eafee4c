import { writeFileSync } from 'node:fs';
import { messageOf, SyncError } from '../errors.js';

/** A configuration is not overwritten by itself. */
export function configThere(file: string): SyncError {
  return new SyncError('config_exists', `${file} exists already`, {
    hint: 'Overwrite it with --force, or name another with --config FILE.',
  });
}

/** Writes a new configuration file. Throws `config_exists` or `config_unwritable`. */
export function writeConfig(file: string, text: string, overwrite: boolean): void {
  try {
    writeFileSync(file, text, { flag: overwrite ? 'w' : 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw configThere(file);
    throw new SyncError('config_unwritable', `${file} can't be written: ${messageOf(error)}`, {
      hint: 'Name a file in a folder that exists and that this user may write to with --config FILE.',
      cause: error,
    });
  }
}
