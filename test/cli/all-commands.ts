import type { CommandDefinition } from '#src/cli/command.js';
import { command as backfill } from '#src/commands/backfill.js';
import { command as backup } from '#src/commands/backup.js';
import { command as clone } from '#src/commands/clone.js';
import { command as completion } from '#src/commands/completion.js';
import { command as conflicts } from '#src/commands/conflicts.js';
import { command as convertIds } from '#src/commands/convert-ids.js';
import { command as doctor } from '#src/commands/doctor.js';
import { command as exportChanges } from '#src/commands/export.js';
import { command as importChanges } from '#src/commands/import.js';
import { command as init } from '#src/commands/init.js';
import { command as keygen } from '#src/commands/keygen.js';
import { command as migrate } from '#src/commands/migrate.js';
import { command as peers } from '#src/commands/peers.js';
import { command as prune } from '#src/commands/prune.js';
import { command as quarantine } from '#src/commands/quarantine.js';
import { command as start } from '#src/commands/start.js';
import { command as status } from '#src/commands/status.js';
import { command as sync } from '#src/commands/sync.js';
import { command as trigger } from '#src/commands/trigger.js';
import { command as triggerAll } from '#src/commands/trigger-all.js';
import { command as verify } from '#src/commands/verify.js';

/** What `commandsFor` loads one by one, for the command lines that run within the process of the tests. */
export const allCommands: readonly CommandDefinition[] = [
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
  backup,
  exportChanges,
  importChanges,
  convertIds,
  peers,
  prune,
  keygen,
  completion,
];
