import { tableNamed, type Changelog } from '../changelog/changelog.js';
import { horizonOf, type Horizon } from '../changelog/horizon.js';
import { SyncError } from '../errors.js';
import { statement } from '../sql/template.js';
import type { Named } from '../wire/change.js';
import { keyText } from '../wire/key-text.js';
import { compareVersions, hasSeen, isTombstone, sameContent, type Version } from '../wire/version.js';
import { findVersion } from './local.js';
import { heldChange } from './quarantine.js';

/**
 * Throws `rows_missing` unless this replica has every version that a page only names, or one that took its place. What
 * we claim of a log is about that log as it was: the entries of one that was rewound since are others. What is known
 * stays known, so no transaction has to hold both this and what is applied.
 */
export function requireNamed(changelog: Changelog, peer: string, named: readonly Named[]): void {
  const missing = findMissing(changelog, named);
  if (missing === null) return;
  const row = `${missing.table} ${keyText(missing.key)}`;
  throw new SyncError('rows_missing', `${peer} took it that we have its row ${row}, and we have not`, {
    hint: 'The page was discarded and is asked for with all its rows; if it stays so, install the same version on both.',
  });
}

/** The first of these versions that this replica has not; null where it has them all, or what took their places. */
export function findMissing(changelog: Changelog, named: readonly Named[]): Named | null {
  const horizons = new Map<string, Horizon | null>();
  const missing = named.find(({ table, key, version }) => {
    if (!horizons.has(table)) horizons.set(table, horizonOf(changelog, table));
    return !isHere(changelog, { table, key, version }, horizons.get(table) ?? null);
  });
  return missing ?? null;
}

function isHere(
  changelog: Changelog,
  { table: name, key, version }: Named,
  horizon: Horizon | null,
): boolean {
  const table = tableNamed(changelog, name);
  // Changes of other tables are passed over, too.
  if (table === undefined) return true;
  const local = table.key.length === key.length ? findVersion(changelog, table, key) : null;
  const isOld = (tombstone: Version) => horizon !== null && tombstone.stamp <= horizon.stamp;
  // A deletion that was pruned here; a row that it may have been about has to come, to be looked at.
  if (local === null && isTombstone(version) && isOld(version)) return true;
  if (local !== null && takesPlaceOf(local.version, version)) {
    // Who has what this deletion overruled may have pruned it, and is told of it again.
    const isNews = isTombstone(local.version) && isOld(local.version);
    return !isNews || compareVersions(local.version, version) === 0;
  }
  return isKept(changelog, { table: name, key, version });
}

function takesPlaceOf(local: Version, named: Version): boolean {
  const order = compareVersions(local, named);
  return order === 0 || (order > 0 && (sameContent(local, named) || hasSeen(local, named)));
}

/** Whether it waits in quarantine, or was overruled and went to the ledger. */
function isKept(changelog: Changelog, { table, key, version }: Named): boolean {
  const held = heldChange(changelog, { table, key });
  if (held !== null && takesPlaceOf(held.change.version, version)) return true;
  const { stamp, origin, fingerprint } = version;
  const bound = { table, key: keyText(key), stamp, origin, fingerprint };
  const { found } = changelog.prepare(statement('apply/is-in-ledger')).get(bound) as { found: number };
  return found === 1;
}
