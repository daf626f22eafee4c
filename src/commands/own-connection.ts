import type { Database } from 'better-sqlite3';
import { afterFold } from '../changelog/fold-all.js';
import { openChangelog, type Changelog } from '../changelog/changelog.js';
import { claimIdentity } from '../changelog/identity.js';
import { keepMark } from '../changelog/mark-file.js';
import type { ApplyClock } from '../apply/local.js';
import type { Config } from '../config/config.js';
import { Resolvers } from '../config/resolvers.js';
import { checkTables } from '../database/check-tables.js';
import { requireMigrated } from '../database/migrate.js';
import { openForReading, openForWriting } from '../database/open.js';
import { Transactions } from '../database/transactions.js';

/** The database as a command that writes gets at it, beside a daemon or without one. */
export interface OwnConnection {
  readonly changelog: () => Changelog;
  readonly clock: () => ApplyClock;
  /** Folds what is not folded yet, then runs the work in the same write transaction. */
  readonly inWrite: <T>(work: () => T) => Promise<T>;
}

/** Runs the work of a command that only reads, on a connection of its own. */
export function reading<T>(config: Config, work: (database: Database) => T): T {
  const database = openForReading(config);
  try {
    requireMigrated(database);
    return work(database);
  } finally {
    database.close();
  }
}

/** Runs the work of a command that writes, on a connection of its own. */
export async function writing<T>(
  config: Config,
  work: (connection: OwnConnection) => Promise<T>,
): Promise<T> {
  const database = openForWriting(config);
  try {
    requireMigrated(database);
    const resolvers = new Resolvers();
    await resolvers.load(config.tables);
    const changelog = openChangelog(database, checkTables(config, database), resolvers);
    const transactions = new Transactions(database, config.database.busyTimeoutMs, () => {
      changelog.origins.forget();
    });
    await transactions.run(() => claimIdentity(database, config.node.id));
    const { maxSkewMs, abortSkewMs } = config.clock;
    const clock = () => ({ nowMs: Date.now(), maxSkewMs, abortSkewMs });
    const folding = {
      run: <R>(inside: () => R, isPressed: boolean): Promise<R> => transactions.run(inside, isPressed),
      changelog: () => changelog,
      clock,
      boxMs: () => transactions.boxMs,
    };
    keepMark(database);
    return await work({
      changelog: () => changelog,
      clock,
      inWrite: async (inside) => {
        const { result } = await afterFold(folding, inside);
        keepMark(database);
        return result;
      },
    });
  } finally {
    database.close();
  }
}
