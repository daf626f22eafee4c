import { command as backfill } from '../commands/backfill.js';
import { command as clone } from '../commands/clone.js';
import { command as conflicts } from '../commands/conflicts.js';
import { command as doctor } from '../commands/doctor.js';
import { command as init } from '../commands/init.js';
import { command as keygen } from '../commands/keygen.js';
import { command as migrate } from '../commands/migrate.js';
import { command as peers } from '../commands/peers.js';
import { command as prune } from '../commands/prune.js';
import { command as quarantine } from '../commands/quarantine.js';
import { command as start } from '../commands/start.js';
import { command as status } from '../commands/status.js';
import { command as sync } from '../commands/sync.js';
import { command as triggerAll } from '../commands/trigger-all.js';
import { command as trigger } from '../commands/trigger.js';
import { command as verify } from '../commands/verify.js';
import type { CommandDefinition } from './command.js';

/** Every command, in the order of `--help`. */
export const commands: readonly CommandDefinition[] = [
  init,
  clone,
  migrate,
  backfill,
  start,
  sync,
  trigger,
  triggerAll,
  status,
  conflicts,
  quarantine,
  verify,
  doctor,
  peers,
  prune,
  keygen,
];
