import type { Changelog } from '../changelog/changelog.js';
import { drawMark } from '../changelog/marks.js';
import { bindings, placeholder } from '../database/bind.js';
import { recordColumns } from '../database/record-columns.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { joinSql, literal, template } from '../sql/template.js';
import { fingerprinter } from '../wire/fingerprint.js';
import type { Change } from '../wire/change.js';
import type { RowState } from '../wire/row-state.js';
import type { SqlValue } from '../wire/value.js';
import { applyChange, writableOf, type Applied } from './apply-change.js';
import { authorAnew } from './author-anew.js';
import { guarded } from './guarded.js';
import { noteConflict } from './ledger.js';
import { findRow, findVersion, type ApplyClock } from './local.js';
import { quarantine, reviewHeld, type Reason } from './quarantine.js';
import { readStates } from './row-state.js';
import { mayBeDeleted } from './too-old.js';
import { placeRow } from './rows-in-the-way.js';
import { deleteRow, enterVersion } from './write.js';

/** A row that is to be repaired, as it was when that was decided. */
export interface Repair {
  readonly table: ReplicatedTable;
  readonly here: RowState;
  /** As decided over these columns. */
  readonly columns: readonly string[];
}

/** Null where it was done. */
type Outcome = Reason | null;

const CHANGED = 'it was written meanwhile';

/** Applies the peer's newer version as if it had been pulled. Call inside a write transaction, once all is folded. */
export function takeChange(
  changelog: Changelog,
  repair: Repair,
  change: Change,
  { peer, ...clock }: ApplyClock & { readonly peer: string },
): Outcome {
  return unchanged(changelog, repair, () =>
    guarded(changelog, clock.nowMs, () => {
      const drifted = driftedRow(changelog, repair);
      const result = takeUnlessOld(changelog, change, clock);
      if (result.outcome === 'held') quarantine(changelog, change, result.reason, { peer, ...clock });
      else reviewHeld(changelog, change, clock);
      if (drifted !== null && result.outcome === 'applied')
        keep(changelog, repair, drifted, change, clock.nowMs);
      drawMark(changelog.database);
      return result.outcome === 'held' ? result.reason : null;
    }),
  );
}

/** Nothing tells here whether the peer has missed a deletion: what may have been deleted is for a person to decide. */
function takeUnlessOld(changelog: Changelog, change: Change, clock: ApplyClock): Applied {
  const reason = mayBeDeleted(changelog, change);
  return reason === null ? applyChange(changelog, change, clock) : { outcome: 'held', reason };
}

/** Writes back what the row's version says, which the peer still has. Call as `takeChange`; what it throws takes all back. */
export function restoreRow(changelog: Changelog, repair: Repair, change: Change, clock: ApplyClock): Outcome {
  const { table } = repair;
  return unchanged(changelog, repair, () =>
    guarded(changelog, clock.nowMs, () => {
      const drifted = driftedRow(changelog, repair);
      if (change.record === null) deleteRow(changelog, table, change.key);
      else {
        const writable = writableOf(table, change, change.record);
        if (typeof writable === 'string') return writable;
        const obstacle = placeRow(changelog, table, change.key, writable);
        if (obstacle !== null) return obstacle;
      }
      if (drifted !== null) keep(changelog, repair, drifted, change, clock.nowMs);
      return null;
    }),
  );
}

/** Enters our version at the log's end: as it is, or with `renewed` as a new one that has seen it. Call as `takeChange`. */
export function sendAgain(
  changelog: Changelog,
  repair: Repair,
  renewed: boolean,
  clock: ApplyClock,
): Outcome {
  const { table, here } = repair;
  return unchanged(changelog, repair, () =>
    guarded(changelog, clock.nowMs, () => {
      const current = findVersion(changelog, table, here.key);
      if (current === null) return CHANGED;
      const record = findRow(changelog, table, here.key);
      const version = renewed ? authorAnew(changelog, table, current, clock) : current.version;
      enterVersion(changelog, table, { key: here.key, version, record }, current);
      drawMark(changelog.database);
      return null;
    }),
  );
}

/** Enters a row as a trigger would have, for the next fold. Call inside a write transaction. */
export function captureRow(changelog: Changelog, repair: Repair, clock: ApplyClock): Outcome {
  const { table, here } = repair;
  return unchanged(changelog, repair, () => {
    const count = here.key.length;
    const sql = template('verify/enter-raw', {
      recordColumns: joinSql(recordColumns(count), ', '),
      tableName: literal(table.name),
      key: joinSql(
        here.key.map((value) => placeholder(value)),
        ', ',
      ),
      writtenMs: placeholder(null),
    });
    // A row that was never known counts as written long ago, as one that backfill enters does.
    const writtenMs = here.version === null ? 0n : BigInt(clock.nowMs);
    changelog.prepare(sql).run(bindings([...here.key, writtenMs]));
    return null;
  });
}

function unchanged(changelog: Changelog, { table, here, columns }: Repair, work: () => Outcome): Outcome {
  const [now] = readStates(changelog, table, [here.key], columns);
  const isSame =
    now?.state.fingerprint === here.fingerprint &&
    JSON.stringify(now.state.version) === JSON.stringify(here.version);
  if (!isSame) return CHANGED;
  return work();
}

type Row = ReadonlyMap<string, SqlValue>;

/** A row that holds what no version says, and that is in no other place. */
function driftedRow(changelog: Changelog, { table, here }: Repair): Row | null {
  return here.intact || here.version === null ? null : findRow(changelog, table, here.key);
}

/** Keeps it in the ledger. After the winner's version was entered, which would settle it. */
function keep(changelog: Changelog, repair: Repair, record: Row, change: Change, nowMs: number): void {
  const { table, here } = repair;
  if (here.version === null) return;
  const loser = { version: { ...here.version, fingerprint: contentOf(table, record) }, record };
  const winner = { version: change.version, record: change.record };
  noteConflict(
    changelog,
    table,
    here.key,
    { winner, loser, local: 'loser', winnerKey: null, decidedBy: 'version' },
    nowMs,
  );
}

function contentOf(table: ReplicatedTable, row: ReadonlyMap<string, SqlValue>): string {
  return fingerprinter(table.columns)(table.columns.map((name) => row.get(name) ?? null));
}
