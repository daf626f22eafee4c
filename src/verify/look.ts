import { setTimeout as pause } from 'node:timers/promises';
import type { Changelog } from '../changelog/changelog.js';
import type { FingerprintClient } from '../pull/fingerprint-client.js';
import { MAX_KEYS } from '../wire/fingerprints.js';
import { keyText } from '../wire/key-text.js';
import type { RowState } from '../wire/row-state.js';
import type { SqlValue } from '../wire/value.js';
import { differenceOf, type DifferenceKind } from './difference.js';
import { localStates, type ComparedTable } from './local-side.js';

/** Rows that are still written at every look after so many are left alone: they don't stand still to be compared. */
const MAX_LOOKS = 8;
/** What is in flight has so long to travel, on top of the pulls, ms. */
const TRAVEL_MS = 200;

/** A row that differs, with how it stands on both sides. */
export interface Difference {
  readonly kind: DifferenceKind;
  readonly here: RowState;
  readonly there: RowState;
}

export interface Looked {
  readonly differences: readonly Difference[];
  /** Rows that were another at each look. */
  readonly inMotion: number;
}

export interface Look {
  readonly changelog: Changelog;
  readonly compared: ComparedTable;
  readonly peer: FingerprintClient;
  /** Has both sides pull to each other's head, as far as they can. */
  readonly settle: () => Promise<unknown>;
}

type Key = readonly SqlValue[];

/**
 * Looks at rows until each is equal, or has differed in the same way before and after both sides had pulled: then no
 * write on its way explains it.
 */
export async function lookAgain(look: Look, suspects: readonly Key[]): Promise<Looked> {
  const differences: Difference[] = [];
  let before = new Map<string, string>();
  let pending = suspects;
  for (let looks = 1; pending.length > 0 && looks <= MAX_LOOKS; looks += 1) {
    if (looks > 1) {
      await look.settle();
      await pause(TRAVEL_MS);
    }
    const found = await compareKeys(look, pending);
    const seen = new Map(found.map((difference) => [keyText(difference.here.key), faceOf(difference)]));
    const moving = found.filter((difference) => {
      const text = keyText(difference.here.key);
      if (isOnItsWay(difference) || before.get(text) !== seen.get(text)) return true;
      differences.push(difference);
      return false;
    });
    before = seen;
    pending = moving.map(({ here }) => here.key);
  }
  return { differences, inMotion: pending.length };
}

/** The rows of these keys that differ now. */
async function compareKeys({ changelog, compared, peer }: Look, keys: readonly Key[]): Promise<Difference[]> {
  const differences: Difference[] = [];
  const { table, columns } = compared;
  for (let first = 0; first < keys.length; first += MAX_KEYS) {
    const some = keys.slice(first, first + MAX_KEYS);
    const there = await peer.states(table.name, columns, some, false);
    const here = localStates(changelog, compared, some);
    for (const [index, state] of here.entries()) {
      const other = there[index];
      if (other === undefined) throw new TypeError(`Expected the peer to answer for ${some.length} keys`);
      const kind = differenceOf(state, other);
      if (kind !== null) differences.push({ kind, here: state, there: other });
    }
  }
  return differences;
}

/** Whether a version is still to come. */
function isOnItsWay({ here, there }: Difference): boolean {
  return here.unfolded || there.unfolded;
}

function faceOf({ here, there }: Difference): string {
  return JSON.stringify([here.fingerprint, here.version, there.fingerprint, there.version]);
}
