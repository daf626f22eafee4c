import type { Database } from 'better-sqlite3';
import { readReplica } from '../changelog/changelog.js';
import { headOf, oldMarksOf, thinMarks } from '../changelog/marks.js';
import { prepared } from '../database/prepared.js';
import { statement } from '../sql/template.js';
import { parseCursor } from '../wire/cursor.js';

/** Pullers that are remembered; with more, those that were given something longest ago are not. */
const MAX_PULLERS = 1_000;

/** A puller that asks ahead has stored what it was given for the last request, or for one of four before it; ours does. */
const MOST_CURSORS = 6;

/** A page that is read now is given, and noted here, long before that. */
const GIVEN_WITHIN_MS = 60_000;

interface Handed {
  /** In the order in which it asked with them, or will. */
  readonly cursors: readonly string[];
  /** The newest log id when it was given. */
  readonly head: number;
}

/**
 * The cursors that pullers were given. One that sleeps before it comes back with its cursor has acknowledged an older
 * one: the mark of the newer is to be kept as well. They are written down once the log is longer, before any mark is dropped
 * for that, and by then most have come back. Marks are dropped only once they have been old for a while: a page that is
 * being read may rest on one, and be given later.
 */
export class HandedCursors {
  private readonly given = new Map<string, Handed>();
  private readonly unsaved = new Map<string, Handed>();
  private saved: readonly (readonly [string, Handed])[] = [];

  /** Marks below this log id were old at that time; null before the first look. */
  private old: { readonly below: number; readonly seenMs: number } | null = null;

  /** `now`: this machine's clock, ms since 1970. */
  constructor(
    private readonly database: Database,
    private readonly now: () => number,
  ) {}

  /** Notes that a puller, which asked with `since`, was given `next`. */
  note(node: string, since: string, next: string): void {
    const before =
      this.given.get(node)?.cursors.filter((cursor) => cursor !== since && cursor !== next) ?? [];
    const handed = { cursors: [...before, since, next].slice(-MOST_CURSORS), head: headOf(this.database) };
    for (const map of [this.given, this.unsaved]) {
      map.delete(node);
      map.set(node, handed);
      const [oldest] = map.keys();
      if (map.size > MAX_PULLERS && oldest !== undefined) map.delete(oldest);
    }
  }

  /** A cursor that is acknowledged needs no second note. */
  acknowledged(node: string, cursor: string): void {
    if (this.unsaved.get(node)?.cursors.at(-1) === cursor) this.unsaved.delete(node);
  }

  /** Writes down what was given before the log became longer, and drops marks that nobody needs. Call in each write transaction. */
  save(): void {
    this.write();
    this.thin();
  }

  private thin(): void {
    const nowMs = this.now();
    const waitedMs = this.old === null ? 0 : nowMs - this.old.seenMs;
    if (this.old !== null && waitedMs >= 0 && waitedMs < GIVEN_WITHIN_MS) return;
    if (this.old !== null && waitedMs >= GIVEN_WITHIN_MS) thinMarks(this.database, this.old.below);
    this.old = { below: oldMarksOf(this.database), seenMs: nowMs };
  }

  private write(): void {
    this.saved = [];
    if (this.unsaved.size === 0) return;
    const head = headOf(this.database);
    this.saved = [...this.unsaved].filter(([, handed]) => handed.head < head);
    const { epoch } = readReplica(this.database);
    const note = prepared(this.database, statement('peers/note-handed'));
    for (const [name, { cursors }] of this.saved) {
      const places = cursors.map(parseCursor).filter((cursor) => cursor?.epoch === epoch);
      note.run({ name, handed: JSON.stringify(places.map((cursor) => cursor?.logId)) });
    }
  }

  /** Call once that transaction is committed. */
  committed(): void {
    for (const [node, handed] of this.saved) {
      if (this.unsaved.get(node) === handed) this.unsaved.delete(node);
    }
    this.saved = [];
  }
}
