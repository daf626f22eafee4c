import { statement } from '../sql/template.js';
import type { Changelog } from './changelog.js';

/** The largest stamp (ms), and the largest rank, of a table's tombstones that some replica has pruned. */
export interface Horizon {
  readonly stamp: number;
  readonly rank: number;
}

/** Null where no tombstone of the table was ever pruned, as far as is known here. */
export function horizonOf(changelog: Changelog, table: string): Horizon | null {
  return (changelog.prepare(statement('prune/horizon')).get({ table }) as Horizon | undefined) ?? null;
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
