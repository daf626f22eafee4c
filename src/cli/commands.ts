import type { CommandDefinition } from './command.js';

type Load = () => Promise<{ readonly command: CommandDefinition }>;

/** Every command, in the order of `--help`. Each is loaded when it is named: all of them take longer than most of them run. */
const commands: Readonly<Record<string, Load>> = {
  init: () => import('../commands/init.js'),
  clone: () => import('../commands/clone.js'),
  migrate: () => import('../commands/migrate.js'),
  backfill: () => import('../commands/backfill.js'),
  start: () => import('../commands/start.js'),
  sync: () => import('../commands/sync.js'),
  trigger: () => import('../commands/trigger.js'),
  'trigger-all': () => import('../commands/trigger-all.js'),
  status: () => import('../commands/status.js'),
  conflicts: () => import('../commands/conflicts.js'),
  quarantine: () => import('../commands/quarantine.js'),
  verify: () => import('../commands/verify.js'),
  doctor: () => import('../commands/doctor.js'),
  backup: () => import('../commands/backup.js'),
  export: () => import('../commands/export.js'),
  import: () => import('../commands/import.js'),
  'convert-ids': () => import('../commands/convert-ids.js'),
  peers: () => import('../commands/peers.js'),
  prune: () => import('../commands/prune.js'),
  keygen: () => import('../commands/keygen.js'),
  completion: () => import('../commands/completion.js'),
};

/** The names of all commands, in the order of `--help`. */
export const commandNames: readonly string[] = Object.keys(commands);

/** The commands that a command line may mean: those whose name stands in it; all, where it names none. */
export async function commandsFor(argv: readonly string[]): Promise<readonly CommandDefinition[]> {
  const all = Object.entries(commands);
  const named = all.filter(([name]) => argv.includes(name));
  // Help lists them all, that of a wrong name too.
  const wanted = named.length === 0 || argv.includes('help') ? all : named;
  const loaded = await Promise.all(wanted.map(([, load]) => load()));
  return loaded.map(({ command }) => command);
}
