import type { CommandContext } from '../cli/command.js';

/** Whether what is printed may have colours: on a terminal only, and never where NO_COLOR is set. */
export function isColoured(context: CommandContext): boolean {
  return context.isTerminal && (process.env.NO_COLOR ?? '') === '';
}
