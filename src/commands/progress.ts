import { SingleBar } from 'cli-progress';
import type { CommandContext } from '../cli/command.js';

export interface Progress {
  update(done: number): void;
  stop(): void;
}

/** A bar on a terminal; counting for it may read a table once, so it is left out elsewhere. */
export function progressBar(
  context: CommandContext,
  name: string,
  countAll: () => number,
  what = 'rows',
): Progress {
  if (!context.isTerminal || context.json) {
    return {
      update: () => undefined,
      stop: () => undefined,
    };
  }
  const bar = new SingleBar({
    format: `${name} {bar} {percentage}% {value}/{total} ${what}, {eta_formatted} left`,
  });
  bar.start(countAll(), 0);
  return bar;
}

/** A count on a terminal, of what has no known end. */
export function countingLine(context: CommandContext, what: string): Progress {
  if (!context.isTerminal || context.json) return { update: () => undefined, stop: () => undefined };
  const line = new SingleBar({ format: `{value} ${what} in {duration_formatted}` });
  line.start(0, 0);
  return line;
}
