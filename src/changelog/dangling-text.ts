import type { DanglingReference } from './dangling.js';
import { escapeControls } from '../log/escape.js';

/** One line that says which rows refer to rows that are not there, e.g. for `status`. */
export function danglingText({ table, parent, columns, rows, at_least, keys }: DanglingReference): string {
  const count = `${at_least ? 'At least ' : ''}${rows} ${rows === 1 ? 'row' : 'rows'} of ${table}`;
  const what = `${count} ${rows === 1 ? 'refers' : 'refer'} by ${columns.join(', ')} to ${parent} that ${rows === 1 ? 'is' : 'are'} not there`;
  const shown = keys.map((key) => JSON.stringify(key)).join(', ');
  return escapeControls(
    keys.length === 0 ? `${what}.` : `${what}: ${shown}${rows > keys.length ? ' ...' : ''}`,
  );
}
