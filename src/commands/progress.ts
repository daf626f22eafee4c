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

export interface Steps {
  /** What is done of all. */
  readonly show: (done: number, total: number) => void;
  /** For good: what is told later is not shown. */
  readonly stop: () => void;
}

/** A bar of what tells its total with each step: it begins with the first one, and anew where there is another total. */
export function stepsBar(context: CommandContext, name: string, what: string): Steps {
  let shown: { readonly bar: Progress; readonly total: number } | null = null;
  let ended = false;
  const show = (done: number, total: number): void => {
    if (ended) return;
    if (shown?.total !== total) {
      shown?.bar.stop();
      shown = { bar: progressBar(context, name, () => total, what), total };
    }
    shown.bar.update(done);
  };
  const stop = (): void => {
    ended = true;
    shown?.bar.stop();
  };
  return { show, stop };
}

/** A count on a terminal, of what has no known end. */
export function countingLine(context: CommandContext, what: string): Progress {
  if (!context.isTerminal || context.json) return { update: () => undefined, stop: () => undefined };
  const line = new SingleBar({ format: `{value} ${what} in {duration_formatted}` });
  line.start(0, 0);
  return line;
}
