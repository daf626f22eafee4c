import { tableNamed, type Changelog } from '../changelog/changelog.js';
import { horizonOf, type Horizon } from '../changelog/horizon.js';
import { SyncError } from '../errors.js';
import { statement } from '../sql/template.js';
import type { Named } from '../wire/change.js';
import { keyText } from '../wire/key-text.js';
import type { SqlValue } from '../wire/value.js';
import { compareVersions, isTombstone, type Version } from '../wire/version.js';
import { findVersion } from './local.js';
import { heldChange } from './quarantine.js';

/**
 * Throws `rows_missing` unless this replica has every version that a page only names, or a greater one of that row. What
 * we claim of a log is about that log as it was: the entries of one that was rewound since are others. Whether the greater
 * one knew it is not asked: it was compared where we have our claim from, or will be where the name is from. What is known
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
  if (local === null)
    return (isTombstone(version) && isOld(version)) || isKept(changelog, name, key, version);
  const order = compareVersions(local.version, version);
  // Who has what this deletion overrules may have pruned it, and is told of it again.
  if (order > 0) return !(isTombstone(local.version) && isOld(local.version));
  return order === 0 || isKept(changelog, name, key, version);
}

/** Whether it waits in quarantine, or a person is to decide about it, or has dropped it. */
function isKept(changelog: Changelog, table: string, key: readonly SqlValue[], version: Version): boolean {
  const held = heldChange(changelog, { table, key });
  if (held !== null && compareVersions(held.change.version, version) >= 0) return true;
  const { stamp, origin, fingerprint } = version;
  const bound = { table, key: keyText(key), stamp, origin, fingerprint };
  const { found } = changelog.prepare(statement('apply/is-kept')).get(bound) as { found: number };
  return found === 1;
}
