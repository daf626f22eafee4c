import type { Database } from 'better-sqlite3';
import { openChangelog, type Changelog } from '../changelog/changelog.js';
import type { Config } from '../config/config.js';
import { checkTables } from '../database/check-tables.js';

/** The changelog of a connection, opened anew whenever the schema has changed under it. */
export class ChangelogAtSchema {
  private opened: { changelog: Changelog; schemaVersion: number } | null = null;

  constructor(
    private readonly database: Database,
    private readonly config: Config,
  ) {}

  /** To be called after a rollback, which may have taken back the numbers that origins were given. */
  forgetOrigins(): void {
    this.opened?.changelog.origins.forget();
  }

  current(): Changelog {
    const schemaVersion = this.database.pragma('schema_version', { simple: true }) as number;
    const { opened } = this;
    if (opened?.schemaVersion === schemaVersion) return opened.changelog;
    const changelog = openChangelog(this.database, checkTables(this.config, this.database));
    this.opened = { changelog, schemaVersion };
    return changelog;
  }
}
