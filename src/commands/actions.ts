import { nearest } from '../config/nearest.js';
import { SyncError } from '../errors.js';

/** The action that a command with several was given, the first of them where none was. */
export function actionOf<Action extends string>(
  command: string,
  actions: readonly [Action, ...Action[]],
  given: string | undefined,
): Action {
  if (given === undefined) return actions[0];
  const found = actions.find((action) => action === given);
  if (found !== undefined) return found;
  const meant = nearest(given, actions);
  const hint = meant === null ? `Actions: ${actions.join(', ')}.` : `Did you mean ${meant}?`;
  throw usage(`${command} ${given}: there is no such action`, hint);
}

/** The id that an action was given. */
export function idOf(command: string, given: string | undefined): number {
  const id = Number(given);
  if (given !== undefined && /^\d+$/.test(given) && Number.isSafeInteger(id) && id > 0) return id;
  const what = given === undefined ? 'names no ID' : `"${given}" is no ID`;
  throw usage(
    `${command}: ${what}`,
    `IDs are the numbers in the first column of sqlite-p2p-sync ${command.split(' ')[0] ?? ''} list.`,
  );
}

/** Wrong usage, exit code 2. */
export function usage(message: string, hint: string): SyncError {
  return new SyncError('usage', `${message}.`, { hint, exitCode: 2 });
}
