import { openChangelog } from '../changelog/changelog.js';
import { readStatus } from '../changelog/local-status.js';
import { requireMigrated } from '../database/migrate.js';
import type { OpenReplica, OpenSchema } from './subjects.js';

/** Opens the changelog. Throws `not_migrated` or `database_newer` where our tables are not those of this release. */
export function openMigrated(open: OpenSchema): OpenReplica {
  requireMigrated(open.database);
  const changelog = openChangelog(open.database, open.inspected.tables);
  const configured = open.config.peers.map(({ name }) => name);
  return { ...open, changelog, status: readStatus(changelog, configured) };
}
