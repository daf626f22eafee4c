import BetterSqlite3 from 'better-sqlite3';
import { statement } from '../sql/template.js';
import type { Machine } from './machine.js';

/** A version that was overruled, kept in full by one replica or more. */
export interface Overruled {
  readonly table: string;
  /** The key as JSON. */
  readonly key: string;
  readonly loser: Side;
  readonly winner: Side;
  /** The replicas whose ledger has it. */
  readonly notedBy: string[];
}

export interface Side {
  /** The machine that wrote it. */
  readonly author: string;
  /** Null: the version is a delete. */
  readonly record: Readonly<Record<string, unknown>> | null;
}

interface LedgerRow {
  table_name: string;
  record_key: string;
  loser_stamp: number;
  loser_origin: string;
  loser: string;
  winner: string;
}

/** Reads the conflict ledgers of all replicas; what several have noted is listed once. */
export function readLedgers(machines: readonly Machine[]): Overruled[] {
  const found = new Map<string, Overruled>();
  for (const { name, database: file } of machines) {
    const database = new BetterSqlite3(file, { readonly: true });
    const rows = database.prepare<unknown[], LedgerRow>(statement('demo/ledger')).all();
    database.close();
    for (const row of rows) {
      const id = [row.table_name, row.record_key, row.loser_stamp, row.loser_origin].join(' ');
      const overruled = found.get(id) ?? overruledOf(row);
      overruled.notedBy.push(name);
      found.set(id, overruled);
    }
  }
  return [...found.values()];
}

function overruledOf({ table_name, record_key, loser, winner }: LedgerRow): Overruled {
  return { table: table_name, key: record_key, loser: sideOf(loser), winner: sideOf(winner), notedBy: [] };
}

function sideOf(text: string): Side {
  const { origin, record } = JSON.parse(text) as { origin: string; record: Side['record'] };
  return { author: origin.split('@')[0] ?? origin, record };
}
