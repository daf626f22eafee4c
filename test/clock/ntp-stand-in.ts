import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../scratch.js';

type Command = 'timedatectl' | 'systemsetup';

/** A folder, to be put in PATH, with an executable of this name that runs these lines of shell. */
export function standIn(command: Command, script: string): string {
  const folder = scratchFolder();
  putIn(folder, command, script);
  return folder;
}

function putIn(folder: string, command: Command, script: string): void {
  const file = join(folder, command);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** A `timedatectl` that answers so. */
export function timedatectl(synchronised: 'yes' | 'no', ntp: 'yes' | 'no' = 'yes'): string {
  return standIn('timedatectl', `echo NTP=${ntp}; echo NTPSynchronized=${synchronised}`);
}

/** A folder, to be put in PATH, where whatever this system asks tells this of its clock. */
export function systemClock(tells: 'synchronised' | 'not synchronised' | 'nothing'): string {
  const folder = scratchFolder();
  if (tells === 'nothing') {
    putIn(folder, 'timedatectl', 'exit 1');
    putIn(folder, 'systemsetup', 'exit 1');
    return folder;
  }
  const isSet = tells === 'synchronised';
  putIn(folder, 'timedatectl', `echo NTP=yes; echo NTPSynchronized=${isSet ? 'yes' : 'no'}`);
  putIn(folder, 'systemsetup', `echo "Network Time: ${isSet ? 'On' : 'Off'}"`);
  return folder;
}
