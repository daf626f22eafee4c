import { listHeld, readHeld, type Held } from '../apply/held-list.js';
import { retryAll, retryBatch, type Retrying } from '../apply/retry-all.js';
import { dropHeld, type Retried } from '../apply/retry-held.js';
import type { CommandContext, CommandDefinition, ExitStatus } from '../cli/command.js';
import { escapeControls } from '../log/escape.js';
import { actionOf, idOf, usage } from './actions.js';
import { reading, writing } from './own-connection.js';
import { countingLine } from './progress.js';
import { heldListText, nameOf } from './quarantine-text.js';

const ACTIONS = ['list', 'retry', 'drop'] as const;

export const command: CommandDefinition = {
  name: 'quarantine',
  summary: 'show changes that could not be applied here, try them again, or drop one',
  configure(command) {
    command
      .usage('[list | retry [ID] | drop ID] [options]')
      .argument('[action]', 'list (without one), retry or drop')
      .argument('[ID]', 'a number of the list; retry without one tries all');
  },
  run: (context, _options, [given, id]) => {
    const action = actionOf('quarantine', ACTIONS, given);
    if (action === 'retry') return retry(context, id);
    if (action === 'drop') return drop(context, id);
    return Promise.resolve(list(context, id));
  },
};

function list(context: CommandContext, extra: string | undefined): ExitStatus {
  if (extra !== undefined) throw usage('quarantine list takes no ID', 'It lists all, with --json in full.');
  const found = reading(context.loadConfig(), (database) => listHeld(database));
  context.print(heldListText(found, Date.now()));
  context.printJson(found);
  return 0;
}

async function retry(context: CommandContext, given: string | undefined): Promise<ExitStatus> {
  const id = given === undefined ? null : idOf('quarantine retry', given);
  const { results, faults } = await writing(context.loadConfig(), async (connection) => {
    const { database, resolvers } = connection.changelog();
    const results =
      id === null
        ? await retryCounted(context, connection)
        : await retryBatch(connection, [readHeld(database, id)], true);
    return { results, faults: resolvers.takeFaults() };
  });
  for (const { table, reason } of faults) {
    context.logger.error('the resolver failed: conflicts of the table wait to be resolved', {
      table,
      reason,
    });
  }
  const stays = results.filter(({ reason }) => reason !== null);
  if (results.length === 0) context.print('Nothing is in quarantine.');
  for (const result of results) context.print(outcomeText(result));
  context.printJson({
    released: results.filter(({ reason }) => reason === null).map(({ held }) => shortOf(held)),
    held: stays.map(({ held, reason }) => ({ ...shortOf(held), reason })),
  });
  return stays.length === 0 ? 0 : 1;
}

/** On a terminal the count of what was tried again stands there. */
async function retryCounted(context: CommandContext, retrying: Retrying): Promise<Retried[]> {
  const line = countingLine(context, 'changes tried again');
  try {
    return await retryAll(retrying, (changes) => {
      line.update(changes);
    });
  } finally {
    line.stop();
  }
}

async function drop(context: CommandContext, given: string | undefined): Promise<ExitStatus> {
  const id = idOf('quarantine drop', given);
  const dropped = await writing(context.loadConfig(), ({ changelog, clock, inWrite }) =>
    inWrite(() => dropHeld(changelog(), id, clock().nowMs)),
  );
  const stamp = new Date(dropped.change.stamp).toISOString();
  context.print(
    `Dropped ${id}: ${dropped.change.operation} of ${nameOf(dropped)}, written by ${dropped.change.origin}, ` +
      `version of ${stamp}. It comes back where a peer sends it again.`,
  );
  context.printJson({ dropped });
  return 0;
}

function outcomeText({ held, reason }: Retried): string {
  const name = `${held.id}: ${nameOf(held)}`;
  return reason === null ? `${name} left the quarantine` : `${name} stays: ${escapeControls(reason)}`;
}

function shortOf({ id, table, key }: Held) {
  return { id, table, key };
}
