import { randomBytes } from 'node:crypto';
import type { CommandDefinition } from '../cli/command.js';

const KEY_BYTES = 32;

/** Prints a new random key: 43 characters that need no quoting in a shell, a header or a YAML file. */
export const command: CommandDefinition = {
  name: 'keygen',
  summary: 'print a new random key for SYNC_API_KEY',
  configure: () => undefined,
  run(context) {
    const key = newKey();
    context.print(key);
    context.printJson({ key });
    return Promise.resolve(0);
  },
};

/** Never starts with "-", which a command line would take for an option. */
function newKey(): string {
  const key = randomBytes(KEY_BYTES).toString('base64url');
  return key.startsWith('-') ? newKey() : key;
}
