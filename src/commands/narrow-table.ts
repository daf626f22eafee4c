import { escapeControls } from '../log/escape.js';
import { columnsOf, piecesOf } from './columns.js';

/** What stands in a cell, with its colour; controls in it are escaped. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

interface NarrowTable {
  /** Of the columns; a newline in a plain one breaks it there. */
  readonly head?: readonly Cell[];
  /** Of the columns of the table, with a blank at each side. */
  readonly widths: readonly number[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Characters of one cell; a value of megabytes is for `--json`. */
const MAX_CELL_LENGTH = 4_000;

/**
 * A table whose cells wrap anywhere, since keys and values have no blanks to wrap at. cli-table3 would cut wide characters
 * in two or leave them out, and takes seconds for a cell of a few thousand characters.
 */
export function narrowTable({ head, widths, rows }: NarrowTable): string {
  const rule = (left: string, middle: string, right: string): string =>
    left + widths.map((width) => '─'.repeat(width)).join(middle) + right;
  const heads =
    head === undefined ? [] : [head.map((cell) => (typeof cell === 'string' ? cell.split('\n') : [cell]))];
  const texts = rows.map((row) => row.map((cell) => [cell]));
  const lines = [...heads, ...texts].map((row) => rowLines(row, widths));
  const between = rule('├', '┼', '┤');
  const inner = lines.flatMap((row, place) => (place === 0 ? row : [between, ...row]));
  return [rule('┌', '┬', '┐'), ...inner, rule('└', '┴', '┘')].join('\n');
}

/** `row`: the parts of each cell, each of which begins a line. */
function rowLines(row: readonly (readonly Cell[])[], widths: readonly number[]): string[] {
  const cells = widths.map((width, place) => {
    const parts = (row[place] ?? ['']).map((part) => cellLines(part, width - 2));
    return { lines: parts.flat(), blank: ' '.repeat(width - 2) };
  });
  const height = Math.max(...cells.map(({ lines }) => lines.length));
  return Array.from(
    { length: height },
    (_, line) => `│ ${cells.map(({ lines, blank }) => lines[line] ?? blank).join(' │ ')} │`,
  );
}

function cellLines(cell: Cell, width: number): readonly string[] {
  const { text, paint } = typeof cell === 'string' ? { text: cell, paint: (line: string) => line } : cell;
  const filled = (piece: string): string => paint(piece) + ' '.repeat(Math.max(0, width - columnsOf(piece)));
  return piecesOf(escapeControls(shortened(text)), width).map(filled);
}

function shortened(text: string): string {
  if (text.length <= MAX_CELL_LENGTH) return text;
  return `${text.slice(0, MAX_CELL_LENGTH)}... (${text.length} characters; in full with --json)`;
}
