import { captureRow, restoreRow, sendAgain, takeChange, type Repair } from '../apply/repair.js';
import type { ApplyClock } from '../apply/local.js';
import { reasonOf } from '../apply/quarantine.js';
import type { Changelog } from '../changelog/changelog.js';
import type { FingerprintClient } from '../pull/fingerprint-client.js';
import { MAX_KEYS } from '../wire/fingerprints.js';
import { keyText } from '../wire/key-text.js';
import type { Change } from '../wire/change.js';
import { isSameVersion } from './difference.js';
import type { Difference } from './look.js';
import { remedyFor, type Advice, type Remedy } from './remedy.js';
import type { TableResult } from './verify-table.js';

/** The connection that repairs: see commands/own-connection.ts. */
export interface RepairConnection {
  readonly changelog: () => Changelog;
  readonly clock: () => ApplyClock;
  readonly inWrite: <T>(work: () => T) => Promise<T>;
}

/** What was done about a row. */
export interface RepairOutcome {
  readonly difference: Difference;
  readonly remedy: Remedy | null;
  /** Why it was not repaired; null where it was. */
  readonly why: string | null;
}

export interface RepairParts {
  readonly connection: RepairConnection;
  readonly peer: FingerprintClient;
  readonly peerName: string;
  /** The peer's present instance. */
  readonly peerOrigin: string;
}

/** Does what this side can do about rows that differ; what it enters reaches the peer with its next pull. */
export async function repairTable(parts: RepairParts, result: TableResult): Promise<RepairOutcome[]> {
  const advised = result.differences.map((difference) => ({
    difference,
    advice: remedyFor(difference.here, difference.there, parts.peerOrigin),
  }));
  const outcomes: RepairOutcome[] = [];
  for (let first = 0; first < advised.length; first += MAX_KEYS) {
    const some = advised.slice(first, first + MAX_KEYS);
    const changes = await fetchChanges(
      parts.peer,
      result,
      some.filter(needsRow).map(({ difference }) => difference),
    );
    for (const { difference, advice } of some) {
      outcomes.push(await repairRow(parts, result, difference, advice, changes));
    }
  }
  // What was captured gets its version.
  if (outcomes.some(({ remedy }) => remedy === 'capture')) await parts.connection.inWrite(() => null);
  return outcomes;
}

function needsRow({ advice }: { advice: Advice }): boolean {
  return 'remedy' in advice && (advice.remedy === 'take' || advice.remedy === 'restore');
}

async function repairRow(
  { connection, peerName }: RepairParts,
  { compared }: TableResult,
  difference: Difference,
  advice: Advice,
  changes: ReadonlyMap<string, Change>,
): Promise<RepairOutcome> {
  if ('why' in advice) return { difference, remedy: null, why: advice.why };
  const { remedy } = advice;
  const repair = { ...compared, here: difference.here };
  const change = changes.get(keyText(difference.here.key)) ?? null;
  if (needsRow({ advice }) && change === null) {
    return { difference, remedy: null, why: 'the peer has written it meanwhile' };
  }
  try {
    const why = await connection.inWrite(() => run(connection, remedy, repair, change, peerName));
    return { difference, remedy, why };
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === null) throw error;
    return { difference, remedy, why: reason };
  }
}

function run(
  { changelog, clock }: RepairConnection,
  remedy: Remedy,
  repair: Repair,
  change: Change | null,
  peer: string,
): string | null {
  switch (remedy) {
    case 'take':
    case 'restore': {
      if (change === null) throw new TypeError('Expected the row of the peer');
      return remedy === 'take'
        ? takeChange(changelog(), repair, change, { ...clock(), peer })
        : restoreRow(changelog(), repair, change, clock());
    }
    case 'send':
    case 'renew':
      return sendAgain(changelog(), repair, remedy === 'renew', clock());
    case 'capture':
      return captureRow(changelog(), repair, clock());
  }
}

/** The peer's rows by key, where they still are the versions that were looked at. */
async function fetchChanges(
  peer: FingerprintClient,
  { compared }: TableResult,
  wanted: readonly Difference[],
): Promise<Map<string, Change>> {
  const changes = new Map<string, Change>();
  for (let rest = wanted; rest.length > 0;) {
    const keys = rest.map(({ here }) => here.key);
    const states = await peer.states(compared.table.name, compared.columns, keys, true);
    if (states.length === 0) throw new TypeError('Expected the peer to answer for a key at least');
    for (const [index, { change, intact }] of states.entries()) {
      const difference = rest[index];
      if (difference === undefined || change === null || !intact) continue;
      if (!isSameVersion(change.version, difference.there.version)) continue;
      changes.set(keyText(difference.here.key), change);
    }
    rest = rest.slice(states.length);
  }
  return changes;
}
