import { SingleBar } from 'cli-progress';
import type { CommandContext } from '../cli/command.js';

export interface Progress {
  update(rows: number): void;
  stop(): void;
}

/** A bar on a terminal; counting rows for it reads the table once, so it is left out elsewhere. */
export function progressBar(context: CommandContext, name: string, countRows: () => number): Progress {
  if (!context.isTerminal || context.json) {
    return {
      update: () => undefined,
      stop: () => undefined,
    };
  }
  const bar = new SingleBar({
    format: `${name} {bar} {percentage}% {value}/{total} rows, {eta_formatted} left`,
  });
  bar.start(countRows(), 0);
  return bar;
}
