import { Option } from 'commander';
import { listConflicts, readConflict } from '../apply/conflict-list.js';
import { resolveConflict, type Resolve } from '../apply/resolve-conflict.js';
import type { CommandContext, CommandDefinition, ExitStatus } from '../cli/command.js';
import { actionOf, idOf, usage } from './actions.js';
import { isColoured } from './coloured.js';
import { conflictListText, conflictText } from './conflicts-text.js';
import { reading, writing } from './own-connection.js';

interface ConflictsOptions {
  readonly all?: boolean;
  readonly keep?: Resolve['keep'];
  readonly force?: boolean;
}

const ACTIONS = ['list', 'show', 'resolve'] as const;

export const command: CommandDefinition<ConflictsOptions> = {
  name: 'conflicts',
  summary: 'show what last-write-wins overruled here, or bring it back',
  configure(command) {
    command
      .usage('[list [--all] | show ID | resolve ID --keep local|remote] [options]')
      .argument('[action]', 'list (without one), show or resolve')
      .argument('[ID]', 'a number of the list')
      .option('--all', 'list: those that are settled too')
      .addOption(
        new Option('--keep <side>', 'resolve: what was here when the two met, or what arrived').choices([
          'local',
          'remote',
        ]),
      )
      .option('--force', 'resolve: also where the row was changed since');
  },
  run: (context, options, [given, id]) => {
    const action = actionOf('conflicts', ACTIONS, given);
    if (action === 'resolve') return resolve(context, options, id);
    return Promise.resolve(action === 'show' ? show(context, id) : list(context, options, id));
  },
};

function list(context: CommandContext, options: ConflictsOptions, extra: string | undefined): ExitStatus {
  if (extra !== undefined) throw usage('conflicts list takes no ID', 'See one with conflicts show ID.');
  const all = options.all === true;
  const found = reading(context.loadConfig(), (database) => listConflicts(database, { all }));
  context.print(conflictListText(found, Date.now(), isColoured(context)));
  context.printJson(found);
  return 0;
}

function show(context: CommandContext, given: string | undefined): ExitStatus {
  const id = idOf('conflicts show', given);
  const conflict = reading(context.loadConfig(), (database) => readConflict(database, id));
  context.print(conflictText(conflict, isColoured(context)));
  context.printJson(conflict);
  return 0;
}

async function resolve(
  context: CommandContext,
  { keep, force = false }: ConflictsOptions,
  given: string | undefined,
): Promise<ExitStatus> {
  const id = idOf('conflicts resolve', given);
  if (keep === undefined) {
    throw usage(
      'conflicts resolve: --keep is missing',
      `Say --keep local or --keep remote; sqlite-p2p-sync conflicts show ${id} shows both.`,
    );
  }
  const resolved = await writing(context.loadConfig(), ({ changelog, clock, inWrite }) =>
    inWrite(() => resolveConflict(changelog(), id, { keep, force }, clock())),
  );
  context.print(
    `Conflict ${id} is resolved: the ${keep} side of ${resolved.table} ${JSON.stringify(resolved.key)} ` +
      'is a new change, which the peers get with the next pull.',
  );
  context.printJson({ kept: keep, conflict: resolved });
  return 0;
}
