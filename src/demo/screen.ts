import { clearScreenDown, moveCursor } from 'node:readline';
import Table from 'cli-table3';
import { behindOf, type Sight } from './observe.js';

/** Between two lines of numbers where the output is no terminal. */
const LINE_INTERVAL_MS = 2000;

/** What the audience sees: lines that stay, and on a terminal a table below them that is drawn over and over. */
export interface Screen {
  /** A line with the time since the beginning. */
  tell(text: string): void;
  /** Lines as they are. */
  print(text: string): void;
  show(sights: readonly Sight[]): void;
  /** Leaves what was shown last where it is. */
  keep(): void;
}

export function createScreen(out: NodeJS.WriteStream, now: () => number): Screen {
  const beginMs = now();
  let drawnLines = 0;
  let lastLineMs = -Infinity;
  let lastShown: readonly Sight[] = [];

  const time = () => `${((now() - beginMs) / 1000).toFixed(1).padStart(5)} s`;

  const numbersOf = (sights: readonly Sight[]) =>
    `${time()}    ${sights.map((sight) => lineOf(sight, sights)).join(' | ')}`;

  /** Takes the table away, so that what comes next stands where it stood. */
  function clear(): void {
    if (drawnLines === 0) return;
    moveCursor(out, 0, -drawnLines);
    clearScreenDown(out);
    drawnLines = 0;
  }

  function print(text: string): void {
    clear();
    out.write(`${text}\n`);
  }

  return {
    print,
    tell(text) {
      print(`${time()}  ${text}`);
    },
    show(sights) {
      lastShown = sights;
      if (out.isTTY) {
        clear();
        const text = `${tableOf(sights)}\n`;
        out.write(text);
        drawnLines = text.split('\n').length - 1;
      } else if (now() - lastLineMs >= LINE_INTERVAL_MS) {
        lastLineMs = now();
        print(numbersOf(sights));
      }
    },
    keep() {
      if (out.isTTY) drawnLines = 0;
      else print(numbersOf(lastShown));
    },
  };
}

function tableOf(sights: readonly Sight[]): string {
  const tables = [...(sights[0]?.rows.keys() ?? [])];
  const table = new Table({
    head: ['replica', 'state', ...tables, 'pulled', 'behind', 'conflicts'],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', ...tables.map(() => 'right' as const), 'right', 'right', 'right'],
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const sight of sights) table.push(cellsOf(sight, sights));
  return table.toString();
}

function cellsOf(sight: Sight, sights: readonly Sight[]): string[] {
  const there = sight.state !== 'not there yet';
  return [
    sight.machine,
    sight.state,
    ...[...sight.rows.values()].map(String),
    there ? String(sight.pulled) : '-',
    there ? behindText(sight, sights) : '-',
    sight.status === null ? '-' : String(sight.status.conflicts),
  ];
}

function lineOf(sight: Sight, sights: readonly Sight[]): string {
  const rows = [...sight.rows].map(([table, count]) => `${count} ${table}`).join(', ');
  const there = sight.state !== 'not there yet';
  const pulls = there ? `, pulled ${sight.pulled}, behind ${behindText(sight, sights)}` : '';
  return `${sight.machine} ${sight.state}: ${rows}${pulls}`;
}

function behindText({ machine }: Sight, sights: readonly Sight[]): string {
  return String(behindOf(machine, sights) ?? 'all');
}
