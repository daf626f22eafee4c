import type { Database } from 'better-sqlite3';
import { openChangelog, readReplica, type Changelog } from './changelog.js';
import { captureOf } from './triggers.js';
import type { Config } from '../config/config.js';
import { pathText } from '../config/faults.js';
import { Resolvers } from '../config/resolvers.js';
import {
  describeTrigger,
  guardedBefore,
  interferingTriggers,
  planGuarding,
  readAppTriggers,
  type AppTrigger,
} from '../database/app-triggers.js';
import { inspectTables } from '../database/check-tables.js';
import { planCapture, requireMigrated } from '../database/migrate.js';
import { uncapturedTables } from '../database/trigger-plan.js';

/** What a change of the schema by the app made necessary. */
export interface SchemaChange {
  /** Tables whose triggers were put back: a rebuild or a DROP TABLE had taken them away. */
  readonly recaptured: readonly string[];
  /** Why configured tables can't be replicated as the schema is now, or will come to differ. */
  readonly faults: readonly string[];
}

/** The changelog of a connection, opened anew whenever the schema has changed under it, or the instance. */
export class ChangelogAtSchema {
  private opened: OpenedAt | null = null;
  /** The schema whose triggers were last looked at; null before the first time. */
  private repairedAtSchema: number | null = null;
  private reportedFaults: readonly string[] = [];

  constructor(
    private readonly database: Database,
    private readonly config: Config,
    private readonly resolvers = new Resolvers(),
  ) {}

  /** To be called after a rollback: the schema and the numbers of origins may be as they were before. */
  reset(): void {
    this.opened?.changelog.origins.forget();
    this.opened?.changelog.liveChanges.clear();
    this.opened = null;
    this.repairedAtSchema = null;
  }

  /** Tables that the schema no longer fits are left out until it does. */
  current(): Changelog {
    return this.read().changelog;
  }

  /** Whether there is nothing to put back. */
  isRepaired(): boolean {
    return this.repairedAtSchema === this.schemaVersion();
  }

  /**
   * Puts missing triggers back. Call inside a write transaction, before anything else is done in it. Null where
   * that makes no news.
   */
  repair(): SchemaChange | null {
    const { changelog, schemaVersion, faults } = this.read();
    if (this.repairedAtSchema === schemaVersion) return null;
    requireMigrated(this.database);
    const capture = captureOf(changelog.tables);
    const recaptured = uncapturedTables(this.database, capture.triggers);
    for (const sql of planCapture(this.database, capture)) this.database.exec(sql);
    const allFaults = [...faults, ...this.guardAgain(changelog)];
    this.repairedAtSchema = this.schemaVersion();
    const news = recaptured.length > 0 || allFaults.join() !== this.reportedFaults.join();
    this.reportedFaults = allFaults;
    return news ? { recaptured, faults: allFaults } : null;
  }

  /**
   * Guards triggers of the app's that the owner has let us guard, and that were made anew since. Others that write to
   * replicated tables are left to the owner, and named.
   */
  private guardAgain({ tables }: Changelog): string[] {
    const names = tables.map(({ name }) => name);
    const found = interferingTriggers(readAppTriggers(this.database), names);
    const known = guardedBefore(this.database, found);
    for (const sql of planGuarding(known)) this.database.exec(sql);
    return found.filter((trigger) => !known.includes(trigger)).map(interferes);
  }

  private schemaVersion(): number {
    return this.database.pragma('schema_version', { simple: true }) as number;
  }

  /** A backup that was restored into the open file numbers its origins otherwise. */
  private epoch(): string {
    return readReplica(this.database).epoch;
  }

  private read(): OpenedAt {
    const schemaVersion = this.schemaVersion();
    if (this.opened?.schemaVersion !== schemaVersion || this.opened.epoch !== this.epoch()) {
      requireMigrated(this.database);
      const { tables, faults } = inspectTables(this.config, this.database);
      const fit = new Set(tables.map(({ config }) => config.name));
      const unfit = this.config.tables.map(({ name }) => name).filter((name) => !fit.has(name));
      this.opened = {
        changelog: openChangelog(this.database, tables, this.resolvers, unfit),
        schemaVersion,
        epoch: this.epoch(),
        faults: faults.map((fault) => `${pathText(fault.path)}: ${fault.message}`),
      };
    }
    return this.opened;
  }
}

interface OpenedAt {
  readonly changelog: Changelog;
  readonly schemaVersion: number;
  readonly epoch: string;
  readonly faults: readonly string[];
}

function interferes(trigger: AppTrigger): string {
  return `trigger ${describeTrigger(trigger)}, also for every change that arrives, so that replicas will differ; run migrate --guard-triggers`;
}
