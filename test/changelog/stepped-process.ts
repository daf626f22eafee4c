import BetterSqlite3, { type Database } from 'better-sqlite3';
import { backfillTable, closeGap, type Gap } from '#src/changelog/backfill.js';
import { openChangelog, tableNamed, type Changelog } from '#src/changelog/changelog.js';
import { afterFold } from '#src/changelog/fold-all.js';
import type { Config } from '#src/config/config.js';
import { checkTables } from '#src/database/check-tables.js';
import { Transactions } from '#src/database/transactions.js';
import { statement } from '#src/sql/template.js';

class Killed extends Error {}

/** Holds each transaction back until it is let through. */
class HeldTransactions extends Transactions {
  private pass: ((killed: Killed | null) => void) | null = null;
  private noteHeld: () => void = () => undefined;

  override async run<T>(work: () => T): Promise<T> {
    const killed = await new Promise<Killed | null>((resolve) => {
      this.pass = resolve;
      this.noteHeld();
    });
    if (killed !== null) throw killed;
    return super.run(work);
  }

  /** Settles when a transaction is held. */
  held(): Promise<void> {
    if (this.pass !== null) return Promise.resolve();
    return new Promise((resolve) => (this.noteHeld = resolve));
  }

  letThrough(killed: Killed | null = null): void {
    const { pass } = this;
    this.pass = null;
    pass?.(killed);
  }
}

/** Few, so that a small table takes several transactions. */
const BATCH_ROWS = 3;

/** What a daemon, or the command line, does with the changelog, one transaction after the other, when it is told to. */
export class SteppedProcess {
  private readonly database: Database;
  private readonly transactions: HeldTransactions;
  private readonly changelog: Changelog;
  private ended: Promise<'ended'> | null = null;

  constructor(
    config: Config,
    file: string,
    private readonly now: () => number,
  ) {
    this.database = new BetterSqlite3(file);
    this.database.pragma('synchronous = OFF');
    this.changelog = openChangelog(this.database, checkTables(config, this.database));
    this.transactions = new HeldTransactions(this.database, 0, () => {
      this.changelog.origins.forget();
    });
  }

  get isRunning(): boolean {
    return this.ended !== null;
  }

  /** Begins what the daemon does whenever another program has committed. */
  startCatchUp(): Promise<void> {
    return this.start(() => this.catchUp());
  }

  /** Begins what the command `backfill` does. */
  startBackfill(table: string): Promise<void> {
    return this.start(async () => {
      await backfillTable(this.changelog, this.transactions, this.table(table), this.options);
    });
  }

  /** Lets one transaction through; false where there was none to come. */
  async step(): Promise<boolean> {
    if (this.ended === null) return false;
    this.transactions.letThrough();
    await this.untilHeld();
    return true;
  }

  async finish(): Promise<void> {
    while (await this.step());
  }

  /** Ends it between two transactions. */
  async kill(): Promise<void> {
    this.transactions.letThrough(new Killed());
    await this.ended;
    this.database.close();
  }

  private async start(work: () => Promise<void>): Promise<void> {
    // A count rests after a slow one; here it can't wait.
    this.changelog.countAgainMs.clear();
    this.ended = work().then(
      () => 'ended',
      (error: unknown) => {
        if (error instanceof Killed) return 'ended';
        throw error;
      },
    );
    await this.untilHeld();
  }

  private async untilHeld(): Promise<void> {
    const outcome = await Promise.race([this.ended, this.transactions.held()]);
    if (outcome === 'ended') this.ended = null;
  }

  private async catchUp(): Promise<void> {
    const { transactions, changelog } = this;
    const folding = {
      run: <T>(work: () => T): Promise<T> => transactions.run(work),
      boxMs: () => transactions.boxMs,
      changelog: () => changelog,
      clock: () => ({ nowMs: this.now(), maxSkewMs: this.options.maxSkewMs }),
    };
    await afterFold(folding, () => null);
    const gaps = changelog.prepare(statement('backfill/gaps')).all() as (Gap & { name: string })[];
    for (const { name, ...gap } of gaps) {
      await closeGap(changelog, transactions, this.table(name), { ...this.options, ...gap });
    }
  }

  private table(name: string) {
    const table = tableNamed(this.changelog, name);
    if (table === undefined) throw new Error(`no table ${name}`);
    return table;
  }

  private get options() {
    return { batchRows: BATCH_ROWS, maxSkewMs: 5_000, now: this.now, onProgress: () => undefined };
  }
}
