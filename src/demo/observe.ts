import BetterSqlite3 from 'better-sqlite3';
import type { StatusReport } from '../replica/status.js';
import { identifier, template } from '../sql/template.js';
import type { Daemon } from './daemon.js';
import { addressOf, type Machine } from './machine.js';

/** A daemon that does not say how it is within this counts as silent, for this time. */
const MAX_ANSWER_MS = 3000;
const BUSY_TIMEOUT_MS = 5000;

/** A machine at one moment. */
export interface Sight {
  readonly machine: string;
  readonly state: 'not there yet' | 'offline' | 'online';
  /** Rows by table, counted in its file. */
  readonly rows: ReadonlyMap<string, number>;
  /** Changes that its pulls have applied. */
  readonly pulled: number;
  /** What its daemon answers; null where none does. */
  readonly status: StatusReport | null;
}

/** `daemons` has one entry for every machine that ever had a daemon. */
export function observe(
  machines: readonly Machine[],
  daemons: ReadonlyMap<string, Daemon>,
  tables: readonly string[],
): Promise<Sight[]> {
  return Promise.all(
    machines.map(async (machine) => {
      const daemon = daemons.get(machine.name);
      const running = daemon?.process.ending === null;
      return {
        machine: machine.name,
        state: daemon === undefined ? 'not there yet' : running ? 'online' : 'offline',
        rows: countRows(machine.database, tables),
        pulled: daemon?.pulled ?? 0,
        status: running ? await askStatus(machine) : null,
      };
    }),
  );
}

function countRows(file: string, tables: readonly string[]): Map<string, number> {
  const database = new BetterSqlite3(file, { readonly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    return new Map(
      tables.map((table) => {
        const sql = template('demo/count-rows', { table: identifier(table) });
        return [table, database.prepare<unknown[], { total: number }>(sql).get()?.total ?? 0];
      }),
    );
  } finally {
    database.close();
  }
}

async function askStatus(machine: Machine): Promise<StatusReport | null> {
  try {
    const signal = AbortSignal.timeout(MAX_ANSWER_MS);
    const answer = await fetch(`${addressOf(machine)}/sync/status`, { signal });
    return answer.ok ? ((await answer.json()) as StatusReport) : null;
  } catch {
    // it is starting, stopping or busy: the next look tells
    return null;
  }
}

/**
 * How far the logs of the running others have grown since this machine's last acknowledgement; null where one of
 * them never had any.
 */
export function behindOf(machine: string, sights: readonly Sight[]): number | null {
  const distances = sights
    .filter((sight) => sight.machine !== machine)
    .map(({ status }) => {
      if (status === null) return 0;
      const acknowledged = status.peers.find(({ name }) => name === machine)?.acknowledged ?? null;
      return acknowledged === null ? null : status.head - acknowledged;
    });
  return distances.reduce((sum, distance) => (sum === null || distance === null ? null : sum + distance), 0);
}
