import { expect } from 'chai';
import { changeOf, heldAfter } from '#src/apply/held-list.js';
import { hasSeen, type Version } from '#src/wire/version.js';
import type { PullCounts, QuickGroup, QuickReplica } from './quick-replica.js';

const COLUMNS = {
  plain: 'body TEXT, n INTEGER, extra',
  checked: 'body TEXT, n INTEGER CHECK (n < 5), extra',
  full: 'body TEXT, n INTEGER, extra NOT NULL',
  narrow: 'body TEXT, n INTEGER',
} as const;

/** What a replica's schema takes. */
export type Kind = keyof typeof COLUMNS;

export const KINDS = Object.keys(COLUMNS) as Kind[];

export const SCHEMA = tableOf('words', 'plain');

function tableOf(name: string, kind: Kind): string {
  return `CREATE TABLE ${name} (id TEXT PRIMARY KEY, ${COLUMNS[kind]});`;
}

type Known = Map<string, { readonly key: string; readonly version: Version }>;

let written = 0;

/** A replica, and every version that ever came to it, or was made there. */
export class Witness {
  replica: QuickReplica;
  private readonly ever: Known = new Map();
  /** What was dropped from its quarantine by command. */
  private readonly dropped: Known = new Map();

  constructor(
    private readonly group: QuickGroup,
    node: string,
    private kind: Kind,
  ) {
    this.replica = group.add(node, `DROP TABLE words; ${tableOf('words', kind)}`);
    this.replica.recapture();
  }

  get hasDropped(): boolean {
    return this.dropped.size > 0;
  }

  /** Writes what nobody has written before, as far as the schema takes it. */
  write(key: string, value: number): void {
    written += 1;
    const n = this.kind === 'checked' ? value % 5 : value;
    const extra = value % 2 === 0 && this.kind !== 'full' ? null : `extra ${written}`;
    const cells = [key, `w${written}`, BigInt(n), ...(this.kind === 'narrow' ? [] : [extra])];
    const places = cells.map(() => '?').join(', ');
    this.replica.app.prepare(`INSERT OR REPLACE INTO words VALUES (${places})`).run(cells);
  }

  erase(key: string): void {
    this.replica.app.prepare('DELETE FROM words WHERE id = ?').run(key);
  }

  pullFrom(peer: Witness): PullCounts {
    this.replica.fold();
    this.note();
    const total: PullCounts = { received: 0, named: 0, applied: 0, conflicts: 0, quarantined: 0 };
    for (;;) {
      const { page, counts } = this.replica.pullPage(peer.replica, 2);
      for (const { key, version } of page.changes) note(this.ever, key[0] as string, version);
      total.received += page.changes.length;
      total.named += page.named.length;
      total.quarantined += counts.quarantined;
      if (!page.has_more) return total;
    }
  }

  /** Rebuilds the table; rows that the new schema does not take keep it as it was. */
  become(kind: Kind): void {
    this.replica.fold();
    const { app } = this.replica;
    const shared = [kind, this.kind].includes('narrow') ? 'id, body, n' : 'id, body, n, extra';
    try {
      app.exec(`BEGIN; ${tableOf('rebuilt', kind)} INSERT INTO rebuilt (${shared}) SELECT ${shared} FROM words;
        DROP TABLE words; ALTER TABLE rebuilt RENAME TO words; COMMIT`);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('constraint failed')) throw error;
      app.exec('ROLLBACK');
      return;
    }
    this.kind = kind;
    const { skewMs } = this.replica;
    this.replica = this.group.reopen(this.replica);
    this.replica.skewMs = skewMs;
    this.replica.recapture();
  }

  /** Drops a change that is held; how many it dropped. */
  drop(which: number): number {
    const held = heldAfter(this.replica.app, 0, 10);
    const one = held[which % Math.max(1, held.length)];
    if (one === undefined) return 0;
    note(this.dropped, one.key[0] as string, changeOf(one).version);
    this.replica.drop(one.id);
    return 1;
  }

  /** The versions that stand here, by key. */
  standing(): Map<string, Version> {
    const rows = this.replica.app
      .prepare<[], Omit<Version, 'seen'> & { key: string; seen: string | null }>(
        `SELECT record_id AS key, coalesce(rank, 0) AS rank, timestamp AS stamp, name AS origin,
           lower(hex(fingerprint)) AS fingerprint, seen
         FROM _sync_changes AS c JOIN _sync_origins AS o ON o.id = c.origin`,
      )
      .all();
    return new Map(
      rows.map(({ key, seen, ...version }) => [
        key,
        { ...version, seen: seen === null ? null : (JSON.parse(seen) as Record<string, number>) },
      ]),
    );
  }

  private note(): Map<string, Version> {
    const standing = this.standing();
    for (const [key, version] of standing) note(this.ever, key, version);
    return standing;
  }

  /**
   * Whatever came here or was made here is at rest in the table, in the ledger or in quarantine, was dropped by command,
   * or was overwritten by a version that had seen it, which in its turn is one of these. Of deletions one stands for all.
   */
  expectNothingLost(): void {
    const standing = this.note();
    const kept: Known = new Map(this.dropped);
    for (const [key, version] of standing) note(kept, key, version);
    for (const held of heldAfter(this.replica.app, 0, 100)) {
      note(kept, held.key[0] as string, changeOf(held).version);
    }
    for (const { key, local, remote } of this.replica.conflicts()) {
      note(kept, key[0] as string, remote.won ? local : remote);
    }
    const accounted = [...kept.values()];
    let open = [...this.ever.values()];
    for (let size = -1; size !== open.length;) {
      size = open.length;
      const found = open.filter(({ key, version }) =>
        accounted.some(
          (by) =>
            by.key === key &&
            (hasSeen(by.version, version) || by.version.fingerprint === version.fingerprint),
        ),
      );
      accounted.push(...found);
      open = open.filter((one) => !found.includes(one));
    }
    expect(open, `lost at ${this.replica.node}`).to.deep.equal([]);
  }
}

function note(known: Known, key: string, version: Version): void {
  known.set(`${key} ${version.stamp} ${version.origin} ${version.fingerprint}`, { key, version });
}
