import { statement } from '../sql/template.js';
import type { Changelog } from './changelog.js';

/** The largest stamp (ms), and the largest rank, of a table's tombstones that some replica has pruned. */
export interface Horizon {
  readonly stamp: number;
  readonly rank: number;
}

/** Replicas that are pulled from prune nothing that is stamped later than this, from now on, ms. */
const MAX_HORIZON_AHEAD_MS = 24 * 60 * 60 * 1000;

/** Null where no tombstone of the table was ever pruned, as far as is known here. */
export function horizonOf(changelog: Changelog, table: string): Horizon | null {
  return (changelog.prepare(statement('prune/horizon')).get({ table }) as Horizon | undefined) ?? null;
}

/**
 * The same for a row that is new here, and is stamped above it. One that a wrong clock has left in the far future counts
 * as now, or every new row would be stamped as far ahead, and wait elsewhere until then.
 */
export function nearHorizonOf(changelog: Changelog, table: string, nowMs: number): Horizon | null {
  const horizon = horizonOf(changelog, table);
  if (horizon === null || horizon.stamp <= nowMs + MAX_HORIZON_AHEAD_MS) return horizon;
  return { ...horizon, stamp: nowMs };
}

/** The horizons of all tables, as they travel. */
export function horizons(changelog: Changelog): (Horizon & { readonly table: string })[] {
  return changelog.prepare(statement('prune/horizons')).all() as (Horizon & { table: string })[];
}

/** Takes over what another replica has pruned. Call inside a write transaction. */
export function raiseHorizons(
  changelog: Changelog,
  told: readonly (Horizon & { readonly table: string })[],
): void {
  for (const { table, stamp, rank } of told) {
    changelog.prepare(statement('prune/raise-horizon')).run({ table, stamp, rank });
  }
}
