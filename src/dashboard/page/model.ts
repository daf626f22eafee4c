import type {
  ActivityAnswer,
  ConflictsAnswer,
  QuarantineAnswer,
  SecondAnswer,
  StatusAnswer,
  TableAnswer,
  TailEntryAnswer,
} from './answers.js';
import type { Ask, AskError } from './ask.js';

/** What the page knows of the replica; the lists are as new as they need to be. */
export interface Model {
  status: StatusAnswer | null;
  tables: readonly TableAnswer[];
  tail: readonly TailEntryAnswer[];
  conflicts: ConflictsAnswer;
  quarantine: QuarantineAnswer;
  /** By their second. */
  readonly seconds: Map<number, SecondAnswer>;
  /** The daemon's clock at the last look, seconds since 1970. */
  nowS: number;
  /** Why the last look failed; null where it did not. */
  lost: AskError | null;
  /** What was asked for and is not answered yet, by the key of its button. */
  readonly busy: Set<string>;
  /** What was refused, by the same key. */
  readonly refused: Map<string, AskError>;
}

/** Seconds that the charts show, which is what the daemon remembers. */
export const SHOWN_SECONDS = 300;

/** Rows that the lists show. */
export const SHOWN_TAIL = 14;
const SHOWN_CONFLICTS = 20;
const SHOWN_HELD = 50;

const NO_CONFLICTS: ConflictsAnswer = { conflicts: [], total: 0 };
const NOTHING_HELD: QuarantineAnswer = { quarantine: [], total: 0 };

/** Tables are counted, and conflicts hold whole rows: not at every look. */
const LIST_INTERVAL_MS = 4_000;

export function emptyModel(): Model {
  return {
    status: null,
    tables: [],
    tail: [],
    conflicts: NO_CONFLICTS,
    quarantine: NOTHING_HELD,
    seconds: new Map(),
    nowS: 0,
    lost: null,
    busy: new Set(),
    refused: new Map(),
  };
}

/** Makes the function that brings the model up to date. It asks for what has changed only, with `anew` for all. */
export function lookInto(model: Model, ask: Ask): (anew: boolean) => Promise<void> {
  let listed = { head: -1, unfolded: -1, conflicts: -1, quarantined: -1, atMs: -Infinity };

  async function readLists(status: StatusAnswer, anew: boolean): Promise<void> {
    const { head, unfolded, conflicts, quarantined } = status;
    const written = head !== listed.head || unfolded !== listed.unfolded;
    const parked = conflicts !== listed.conflicts || quarantined !== listed.quarantined;
    const due = performance.now() - listed.atMs > LIST_INTERVAL_MS;
    const readsTail = written || anew;
    const readsLists = anew || parked || (written && due);
    const [tail, tables, ledger, held] = await Promise.all([
      readsTail ? ask<{ entries: TailEntryAnswer[] }>('GET', `/sync/changelog?tail=${SHOWN_TAIL}`) : null,
      readsLists ? ask<{ tables: TableAnswer[] }>('GET', '/sync/tables') : null,
      readsLists && conflicts > 0
        ? ask<ConflictsAnswer>('GET', `/sync/conflicts?limit=${SHOWN_CONFLICTS}`)
        : null,
      readsLists && quarantined > 0
        ? ask<QuarantineAnswer>('GET', `/sync/quarantine?limit=${SHOWN_HELD}`)
        : null,
    ]);
    if (tail !== null) model.tail = tail.entries;
    if (tables !== null) model.tables = tables.tables;
    model.conflicts = ledger ?? (conflicts > 0 ? model.conflicts : NO_CONFLICTS);
    model.quarantine = held ?? (quarantined > 0 ? model.quarantine : NOTHING_HELD);
    if (readsLists) listed = { head, unfolded, conflicts, quarantined, atMs: performance.now() };
  }

  return async (anew) => {
    // The newest second was not over.
    const afterS = Math.max(0, model.nowS - 2);
    const [status, activity] = await Promise.all([
      ask<StatusAnswer>('GET', '/sync/status'),
      ask<ActivityAnswer>('GET', `/sync/activity?after=${afterS}`),
    ]);
    await readLists(status, anew || model.lost !== null);
    keepSeconds(model, activity);
    model.status = status;
    model.lost = null;
  };
}

function keepSeconds(model: Model, { now_s: nowS, seconds }: ActivityAnswer): void {
  model.nowS = nowS;
  for (const second of seconds) model.seconds.set(second.at_s, second);
  for (const atS of model.seconds.keys()) if (atS <= nowS - SHOWN_SECONDS) model.seconds.delete(atS);
}
