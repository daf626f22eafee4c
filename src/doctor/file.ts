import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Check } from './check.js';
import { fault, fine, type Seen } from './finding.js';
import type { Setup } from './subjects.js';

/** Whether this user may do with the database file, and in its folder, what the daemon has to. */
export const fileCheck: Check<Setup> = {
  name: 'file',
  look({ config }) {
    const { path } = config.database;
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) {
      const fix =
        'Correct database.path (relative to the configuration file), or let your application create its database.';
      return [fault(`there is no database file at ${path}`, fix)];
    }
    if (!stat.isFile())
      return [fault(`${path} is no file`, 'Correct database.path: it names the file itself.')];
    const faults = [
      ...denied(path, constants.R_OK, `this user may not read ${path}`),
      ...denied(path, constants.W_OK, `this user may not write ${path}`),
      ...denied(
        dirname(path),
        constants.W_OK | constants.X_OK,
        `this user may not create files in ${dirname(path)}, as SQLite has to beside the database`,
      ),
    ];
    return faults.length > 0 ? faults : [fine(`${path} and its folder can be read and written`)];
  },
};

function denied(path: string, mode: number, message: string): Seen[] {
  try {
    accessSync(path, mode);
    return [];
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const fix = 'Correct the permissions; the daemon should run as the user that your application runs as.';
    return [fault(`${message} (${code})`, fix)];
  }
}
