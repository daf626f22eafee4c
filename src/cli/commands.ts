import { command as backfill } from '../commands/backfill.js';
import { command as init } from '../commands/init.js';
import { command as keygen } from '../commands/keygen.js';
import { command as migrate } from '../commands/migrate.js';
import type { CommandDefinition } from './command.js';

/** Every command, in the order of `--help`. */
export const commands: readonly CommandDefinition[] = [init, migrate, backfill, keygen];
