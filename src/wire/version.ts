/** Ranks end here; a row's preferred replica would have to edit it so often. */
export const MAX_RANK = 2_147_483_647;

/**
 * The version of a row: a total order that every replica computes alike. `rank` counts the edits of the row's preferred
 * replica (0 where there is none), `stamp` in ms since 1970, `origin` the instance that authored it (`node@epoch`),
 * `fingerprint` the hash of the replicated content as 16 lower-case hex digits, empty for a tombstone.
 */
export interface Version {
  readonly rank: number;
  readonly stamp: number;
  readonly origin: string;
  readonly fingerprint: string;
  /**
   * For each other instance the newest stamp of this row that the author knew. Null where it says no more than
   * (`origin`, `stamp`) does.
   */
  readonly seen: Readonly<Record<string, number>> | null;
}

/** Negative where `a` loses to `b`, positive where it wins, 0 where they are one version. */
export function compareVersions(a: Version, b: Version): number {
  return (
    a.rank - b.rank ||
    a.stamp - b.stamp ||
    compareText(a.origin, b.origin) ||
    compareText(a.fingerprint, b.fingerprint)
  );
}

/** What tells a version of a row from every other. */
export type VersionName = Pick<Version, 'stamp' | 'origin' | 'fingerprint'>;

/** Whether the author of `version` knew `other` when it wrote. */
export function hasSeen(version: Version, other: VersionName): boolean {
  // One stamp of one instance with two contents: two histories of one file. Neither knew the other.
  if (version.origin === other.origin && version.stamp === other.stamp) {
    return version.fingerprint === other.fingerprint;
  }
  return newestSeen(version, other.origin) >= other.stamp;
}

/** Whether both stand for the same content; two tombstones do. */
export function sameContent(a: Version, b: Version): boolean {
  return a.fingerprint === b.fingerprint;
}

export function isTombstone(version: Version): boolean {
  return version.fingerprint === '';
}

/** What an edit by `origin` that replaces `replaced` has seen. */
export function seenAfter(replaced: Version, origin: string): Readonly<Record<string, number>> | null {
  const seen: Record<string, number> = { ...replaced.seen };
  seen[replaced.origin] = Math.max(replaced.stamp, newestSeen(replaced, replaced.origin));
  const others = Object.entries(seen).filter(([name]) => name !== origin);
  return others.length === 0 ? null : Object.fromEntries(others.sort(([a], [b]) => compareText(a, b)));
}

/** What a version by `origin` that takes in all of these has seen. */
export function seenAfterAll(
  known: readonly Version[],
  origin: string,
): Readonly<Record<string, number>> | null {
  const merged: Record<string, number> = {};
  for (const version of known) {
    for (const [name, stamp] of Object.entries(seenAfter(version, origin) ?? {})) {
      merged[name] = Math.max(stamp, merged[name] ?? 0);
    }
  }
  const entries = Object.entries(merged).sort(([a], [b]) => compareText(a, b));
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

function newestSeen(version: Version, origin: string): number {
  const own = version.origin === origin ? version.stamp : -Infinity;
  return Math.max(own, version.seen?.[origin] ?? -Infinity);
}

/** By UTF-16 code unit, as JavaScript does on every machine; names and digits here are ASCII. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
