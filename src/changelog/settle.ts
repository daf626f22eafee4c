import type { ReplicatedTable } from '../database/replicable.js';
import { statement } from '../sql/template.js';
import { keyText } from '../wire/key-text.js';
import type { SqlValue } from '../wire/value.js';
import { hasSeen, type Version, type VersionName } from '../wire/version.js';
import type { Changelog } from './changelog.js';

interface OpenConflict extends VersionName {
  /** The entry; a copy's is the one that stands for it. */
  readonly id: number;
  /** The version with its row, JSON. */
  readonly loser: string;
  readonly winnerKey: string | null;
  readonly isCopy: 0 | 1;
}

/** Asks once in a transaction whether any conflict is open, so that entering versions costs nothing where none is. */
export function lookForOpenConflicts(changelog: Changelog, nowMs: number): void {
  const { found } = changelog.prepare(statement('conflicts/any-open')).get() as { found: number };
  changelog.settling.nowMs = found === 1 ? nowMs : null;
}

/** Settles the open conflicts of a key whose loser, or a copy of it, this version, which is being entered, has seen. */
export function settleSeen(
  changelog: Changelog,
  table: ReplicatedTable,
  key: () => readonly SqlValue[],
  version: Version,
): void {
  const { nowMs } = changelog.settling;
  if (nowMs === null) return;
  for (const conflict of openOf(changelog, table, key())) {
    if (settles(version, conflict)) settle(changelog, conflict.id, nowMs);
  }
}

/** Whether the loser of an open conflict of the key is this version, or has seen it. */
export function isOpenAlready(
  changelog: Changelog,
  table: ReplicatedTable,
  key: readonly SqlValue[],
  version: Version,
): boolean {
  return openOf(changelog, table, key).some(
    ({ loser, winnerKey }) => winnerKey === null && hasSeen(JSON.parse(loser) as Version, version),
  );
}

/** An open entry whose loser has the content of this version, if there is one. */
export function openTwin(
  changelog: Changelog,
  table: Pick<ReplicatedTable, 'name'>,
  key: readonly SqlValue[],
  { fingerprint }: Version,
): { readonly id: number; readonly loser: Version } | null {
  const twin = openOf(changelog, table, key).find(
    (conflict) =>
      conflict.winnerKey === null && conflict.isCopy === 0 && conflict.fingerprint === fingerprint,
  );
  return twin === undefined ? null : { id: twin.id, loser: JSON.parse(twin.loser) as Version };
}

function openOf(
  changelog: Changelog,
  table: Pick<ReplicatedTable, 'name'>,
  key: readonly SqlValue[],
): OpenConflict[] {
  const bound = { table: table.name, key: keyText(key) };
  return changelog.prepare(statement('conflicts/open-of-key')).all(bound) as OpenConflict[];
}

export function settle(changelog: Changelog, id: number, nowMs: number): void {
  changelog.prepare(statement('conflicts/settle')).run({ id, settledMs: nowMs });
}

function settles(version: Version, conflict: OpenConflict): boolean {
  if (!hasSeen(version, conflict)) return false;
  // The tombstone that decides a unique clash, at the loser's stamp + 1, is the loss itself, whoever has decided.
  return conflict.winnerKey === null || version.stamp > conflict.stamp + 1;
}
