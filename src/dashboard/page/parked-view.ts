import type {
  ConflictAnswer,
  HeldAnswer,
  RecordAnswer,
  SideAnswer,
  StatusAnswer,
  ValueAnswer,
} from './answers.js';
import { button, buttonKey, refusal } from './buttons.js';
import { byId, h, render, type Child } from './dom.js';
import { count, foreign, keyText, nodeOf, readable, time, value } from './format.js';
import type { Model } from './model.js';
import { empty, table } from './table.js';
import { toldApart } from './told-apart.js';

const SIDES = { local: 'was here', remote: 'arrived' } as const;
type Side = keyof typeof SIDES;

/** The open conflicts, each with both rows side by side. */
export function showConflicts(model: Model, status: StatusAnswer): void {
  const { conflicts, total } = model.conflicts;
  const box = byId('conflicts');
  if (total === 0) {
    render(
      box,
      empty(
        'No open conflicts',
        'Where two replicas change one row at once, what was overruled waits here in full.',
      ),
    );
    return;
  }
  const left = total - conflicts.length;
  render(
    box,
    ...conflicts.map((conflict) => conflictCard(model, conflict, status)),
    left > 0
      ? h(
          'p',
          { class: 'muted', 'data-key': 'left' },
          `${count(left)} more; they follow as these are resolved.`,
        )
      : null,
  );
}

function conflictCard(model: Model, conflict: ConflictAnswer, status: StatusAnswer): HTMLElement {
  const { id, table: name, key, found_ms, local, remote } = conflict;
  const title = `conflict-${id}`;
  return h(
    'article',
    { class: 'parked', 'data-key': title, 'aria-labelledby': title },
    h(
      'header',
      {},
      headingFor(title, name, key),
      h('p', { class: 'muted' }, reasonOf(conflict), ', found ', time(found_ms, status.time_ms)),
    ),
    compared(conflict, local, remote, status),
    conflict.copy_of === null
      ? keepButtons(model, conflict)
      : h('p', { class: 'muted' }, `Has the content of conflict ${conflict.copy_of}, which stands for both.`),
  );
}

/** The row that it is about. */
function headingFor(id: string, name: string, key: readonly ValueAnswer[]): HTMLElement {
  return h('h3', { id, tabindex: -1 }, foreign(name), ' ', h('code', {}, keyText(key)));
}

function reasonOf({ kind, decided_by }: ConflictAnswer): string {
  if (kind === 'unique') return 'Two rows claim one unique value';
  if (decided_by === 'nobody') return 'Nobody has decided: each replica keeps its own';
  if (decided_by === 'resolver') return 'A resolver has merged both';
  return 'The later edit won';
}

/** One line a column; those that differ come first and are marked. */
function compared(
  conflict: ConflictAnswer,
  local: SideAnswer,
  remote: SideAnswer,
  status: StatusAnswer,
): HTMLElement {
  const columns = [
    { title: 'Column' },
    { title: headingOf(conflict.local, 'local', status) },
    { title: headingOf(conflict.remote, 'remote', status) },
  ];
  const names = [...new Set([...Object.keys(local.record ?? {}), ...Object.keys(remote.record ?? {})])];
  const rows = names.map((name) => {
    const [here, there] = [valueIn(local, name), valueIn(remote, name)];
    const differs = JSON.stringify(here) !== JSON.stringify(there);
    const apart = differs && here !== undefined && there !== undefined;
    const cells = apart ? toldApart(here, there) : [cellOf(local, here), cellOf(remote, there)];
    return {
      key: name,
      marked: differs,
      cells: [
        h(
          'span',
          {},
          foreign(name),
          differs
            ? h('span', { class: 'differs' }, h('span', { 'aria-hidden': 'true' }, ' ≠'), unseen(' differs'))
            : null,
        ),
        ...cells,
      ],
    };
  });
  rows.sort((a, b) => Number(b.marked) - Number(a.marked));
  return table(`Both rows of conflict ${conflict.id}`, columns, rows);
}

function headingOf({ won, origin }: SideAnswer, side: Side, { node }: StatusAnswer): string {
  const author = nodeOf(origin);
  return `${side === 'local' ? 'Local' : 'Remote'}: ${SIDES[side]}, by ${author === node ? 'this replica' : author}${won ? ' ✓ stands now' : ''}`;
}

/** Undefined: the row was deleted, or has no such column. */
function valueIn({ record }: SideAnswer, name: string): ValueAnswer | undefined {
  return record !== null && Object.hasOwn(record, name) ? record[name] : undefined;
}

function cellOf({ record }: SideAnswer, given: ValueAnswer | undefined): Child {
  if (record === null) return h('span', { class: 'muted' }, 'deleted');
  return given === undefined ? h('span', { class: 'muted' }, 'no such column') : value(given);
}

function keepButtons(model: Model, { id, table: name, key }: ConflictAnswer): HTMLElement {
  const row = `${readable(name)} ${keyText(key)}`;
  const keep = (side: Side): HTMLElement =>
    button(model, {
      action: `keep-${side}`,
      about: String(id),
      text: `Keep ${side}`,
      label: `Keep ${side}: the row ${row} that ${SIDES[side]}`,
      kind: 'main',
      busyText: 'Writing…',
    });
  return h(
    'footer',
    {},
    h('div', { class: 'buttons' }, keep('local'), keep('remote')),
    ...refusals(model, id, row),
  );
}

/** Where the row was changed since, a person may overwrite that too. */
function refusals(model: Model, id: number, row: string): Child[] {
  return (['local', 'remote'] as const).flatMap((side) => {
    const key = buttonKey(`keep-${side}`, String(id));
    const outdated = model.refused.get(key)?.code === 'conflict_outdated';
    const force = button(model, {
      action: `force-${side}`,
      about: String(id),
      text: `Overwrite with ${side}`,
      label: `Overwrite the row ${row} as it is now with the ${side} side`,
      busyText: 'Writing…',
    });
    return [
      refusal(model, key),
      outdated ? force : null,
      refusal(model, buttonKey(`force-${side}`, String(id))),
    ];
  });
}

/** Changes that could not be applied here, with the reason. */
export function showQuarantine(model: Model, status: StatusAnswer): void {
  const { quarantine, total } = model.quarantine;
  const box = byId('quarantine');
  if (total === 0) {
    render(
      box,
      empty(
        'Nothing in quarantine',
        'A change that this database refuses waits here, and never stops the others.',
      ),
    );
    return;
  }
  const left = total - quarantine.length;
  render(
    box,
    ...quarantine.map((held) => heldCard(model, held, status)),
    left > 0 ? h('p', { class: 'muted', 'data-key': 'left' }, `${count(left)} more.`) : null,
  );
}

function heldCard(model: Model, held: HeldAnswer, status: StatusAnswer): HTMLElement {
  const { id, table: name, key, peer, reason, since_ms, change } = held;
  const title = `held-${id}`;
  const row = `${readable(name)} ${keyText(key)}`;
  const record = change.record ?? null;
  return h(
    'article',
    { class: 'parked', 'data-key': title, 'aria-labelledby': title },
    h(
      'header',
      {},
      headingFor(title, name, key),
      h('p', { class: 'muted' }, `${change.operation} from ${peer}, `, time(since_ms, status.time_ms)),
    ),
    h('p', { class: 'reason' }, h('span', { class: 'pill warn' }, '! refused'), ' ', foreign(reason)),
    record === null ? null : rowDetails(record),
    h(
      'footer',
      {},
      h(
        'div',
        { class: 'buttons' },
        button(model, {
          action: 'retry',
          about: String(id),
          text: 'Retry',
          label: `Retry the change of ${row}`,
          kind: 'main',
          busyText: 'Trying…',
        }),
      ),
      refusal(model, buttonKey('retry', String(id))),
    ),
  );
}

function rowDetails(record: RecordAnswer): HTMLElement {
  const parts = Object.entries(record).flatMap(([name, given]) => [
    h('dt', {}, foreign(name)),
    h('dd', {}, value(given)),
  ]);
  return h('details', {}, h('summary', {}, 'The row that waits'), h('dl', { class: 'row' }, ...parts));
}

function unseen(text: string): HTMLElement {
  return h('span', { class: 'unseen' }, text);
}
