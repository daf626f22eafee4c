import type { CommandDefinition } from './command.js';

/** Every command, in the order of `--help`. */
export const commands: readonly CommandDefinition[] = [];
