import type { ReplicatedTable } from '../database/replicable.js';
import { statement } from '../sql/template.js';
import { keyText } from '../wire/key-text.js';
import type { SqlValue } from '../wire/value.js';
import { hasSeen, type Version, type VersionName } from '../wire/version.js';
import type { Changelog } from './changelog.js';

interface OpenConflict extends VersionName {
  readonly id: number;
  readonly winnerKey: string | null;
}

/** Asks once in a transaction whether any conflict is open, so that entering versions costs nothing where none is. */
export function lookForOpenConflicts(changelog: Changelog, nowMs: number): void {
  const { found } = changelog.prepare(statement('conflicts/any-open')).get() as { found: number };
  changelog.settling.nowMs = found === 1 ? nowMs : null;
}

/** Settles the open conflicts of a key whose loser this version, which is being entered, has seen. */
export function settleSeen(
  changelog: Changelog,
  table: ReplicatedTable,
  key: () => readonly SqlValue[],
  version: Version,
): void {
  const { nowMs } = changelog.settling;
  if (nowMs === null) return;
  const bound = { table: table.name, key: keyText(key()) };
  const open = changelog.prepare(statement('conflicts/open-of-key')).all(bound) as OpenConflict[];
  for (const conflict of open) {
    if (settles(version, conflict)) settle(changelog, conflict.id, nowMs);
  }
}

export function settle(changelog: Changelog, id: number, nowMs: number): void {
  changelog.prepare(statement('conflicts/settle')).run({ id, settledMs: nowMs });
}

function settles(version: Version, { winnerKey, ...loser }: OpenConflict): boolean {
  if (!hasSeen(version, loser)) return false;
  // The tombstone that decides a unique clash, at the loser's stamp + 1, is the loss itself, whoever has decided.
  return winnerKey === null || version.stamp > loser.stamp + 1;
}
