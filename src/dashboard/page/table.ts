import { h, type Child } from './dom.js';

export interface Column {
  readonly title: string;
  /** Aligned by their digits. */
  readonly numeric?: boolean;
}

export interface Row {
  /** Tells it from the others. */
  readonly key: string;
  /** As many as there are columns; the first names the row. */
  readonly cells: readonly Child[];
  readonly marked?: boolean;
}

/**
 * A table with its headers. On a narrow screen the style sheet makes a card of each row; the roles are said outright,
 * since browsers forget them then.
 */
export function table(caption: string, columns: readonly Column[], rows: readonly Row[]): HTMLElement {
  const head = columns.map(({ title, numeric = false }) =>
    h('th', { scope: 'col', role: 'columnheader', class: numeric ? 'number' : null }, title),
  );
  return h(
    'table',
    { role: 'table' },
    h('caption', { class: 'unseen' }, caption),
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...head)),
    h('tbody', { role: 'rowgroup' }, ...rows.map((row) => rowOf(row, columns))),
  );
}

function rowOf({ key, cells, marked = false }: Row, columns: readonly Column[]): HTMLElement {
  const made = cells.map((cell, index) => {
    const { title, numeric = false } = columns[index] ?? { title: '' };
    const attributes = { 'data-label': title, class: numeric ? 'number' : null };
    // One box, which may stand beside the label.
    const content = h('div', {}, cell);
    return index === 0
      ? h('th', { ...attributes, scope: 'row', role: 'rowheader' }, content)
      : h('td', { ...attributes, role: 'cell' }, content);
  });
  return h('tr', { role: 'row', 'data-key': key, class: marked ? 'marked' : null }, ...made);
}

/** What stands where there is nothing yet: what it means, and what to do. */
export function empty(title: string, text: string): HTMLElement {
  return h('div', { class: 'empty' }, h('strong', {}, title), h('span', {}, text));
}
