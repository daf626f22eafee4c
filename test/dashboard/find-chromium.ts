import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * As distributions and Google call it, in the order in which they are looked for; .ci/run looks for the same. The last is
 * a mere hint at a snap on Ubuntu.
 */
const NAMES = ['chromium', 'google-chrome', 'google-chrome-stable', 'chromium-browser'];

/** The path of Chromium or Chrome: what the environment variable CHROMIUM names, or else what is on PATH; null: none. */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string | null {
  const { CHROMIUM = '', PATH = '' } = environment;
  if (CHROMIUM !== '') return CHROMIUM;
  const folders = PATH.split(delimiter);
  const paths = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
