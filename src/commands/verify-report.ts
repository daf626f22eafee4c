import type { RepairOutcome } from '../verify/repair-table.js';
import type { DifferenceKind } from '../verify/difference.js';
import type { Remedy } from '../verify/remedy.js';
import type { Difference } from '../verify/look.js';
import type { TableResult } from '../verify/verify-table.js';
import { keyToWire, versionToWire, type WireVersion } from '../wire/fingerprints.js';
import { keyText } from '../wire/key-text.js';
import type { RowState } from '../wire/row-state.js';
import type { WireValue } from '../wire/value.js';
import type { Pulled } from './both-pull.js';

/** One side of a row that differs. */
export interface SideReport {
  /** Of the content as it is now; null: there is no row. */
  readonly fingerprint: string | null;
  /** Null: the changelog knows nothing of it. */
  readonly version: WireVersion | null;
  /** Whether the content is what the version says. */
  readonly intact: boolean;
  /** Whether a change of it is in quarantine there. */
  readonly held: boolean;
  /** Whether a conflict of it is open there. */
  readonly conflict: boolean;
}

export interface DifferenceReport {
  readonly key: readonly WireValue[];
  readonly kind: DifferenceKind;
  readonly here: SideReport;
  readonly there: SideReport;
  /** With `--repair`, why it still differs, as far as that is known. */
  readonly why: string | null;
}

export interface TableReport {
  readonly table: string;
  readonly rows: number;
  readonly equal: boolean;
  readonly differences: readonly DifferenceReport[];
  /** True where there are more differences than these. */
  readonly more: boolean;
  readonly in_motion: number;
  /** Columns here that the peer does not replicate: not compared. */
  readonly columns_left_out: readonly string[];
  readonly fault: string | null;
}

export interface RepairReport {
  readonly table: string;
  readonly key: readonly WireValue[];
  readonly kind: DifferenceKind;
  readonly remedy: Remedy;
}

/** What `verify --json` prints. */
export interface VerifyReport {
  readonly peer: string;
  readonly equal: boolean;
  readonly tables: readonly TableReport[];
  /** What `--repair` did. */
  readonly repaired: readonly RepairReport[];
  readonly requests: number;
  /** Why a side could not pull to the other's head while rows were looked at again; null where it could, or was not needed. */
  readonly not_pulled: Pulled;
}

export interface ReportParts {
  readonly peer: string;
  readonly results: readonly TableResult[];
  readonly repairs: readonly { readonly table: string; readonly outcome: RepairOutcome }[];
  readonly requests: number;
  readonly pulled: Pulled;
}

export function reportOf({ peer, results, repairs, requests, pulled }: ReportParts): VerifyReport {
  const tables = results.map((result) => tableReport(result, repairs));
  const repaired = repairs.flatMap(({ table, outcome: { remedy, why, difference } }) =>
    remedy === null || why !== null
      ? []
      : [{ table, key: keyToWire(difference.here.key), kind: difference.kind, remedy }],
  );
  return { peer, equal: tables.every(({ equal }) => equal), tables, repaired, requests, not_pulled: pulled };
}

function tableReport(result: TableResult, repairs: ReportParts['repairs']): TableReport {
  const { compared, rows, differences, more, inMotion, fault } = result;
  const { name, columns } = compared.table;
  const reasons = new Map(
    repairs
      .filter(({ table }) => table === name)
      .map(({ outcome }) => [keyText(outcome.difference.here.key), outcome.why]),
  );
  return {
    table: name,
    rows,
    equal: differences.length === 0 && !more && fault === null,
    differences: differences.map((difference) => differenceReport(difference, reasons)),
    more,
    in_motion: inMotion,
    columns_left_out: fault === null ? columns.filter((column) => !compared.columns.includes(column)) : [],
    fault,
  };
}

function differenceReport(
  { kind, here, there }: Difference,
  reasons: ReadonlyMap<string, string | null>,
): DifferenceReport {
  const why = reasons.get(keyText(here.key)) ?? null;
  return { key: keyToWire(here.key), kind, here: sideReport(here), there: sideReport(there), why };
}

function sideReport({ fingerprint, version, intact, held, conflict }: RowState): SideReport {
  return { fingerprint, version: versionToWire(version), intact, held, conflict };
}
