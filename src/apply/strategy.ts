import { readReplica, type Changelog } from '../changelog/changelog.js';
import type { ReplicatedTable } from '../database/replicable.js';
import type { Version } from '../wire/version.js';
import { instanceOf } from '../wire/instance.js';

/** Who decides a conflict here: the order of versions, the table's resolver, or a person. */
export type DecidedBy = 'version' | 'resolver' | 'nobody';

/** Who decides where this version would be overruled unknown. One replica merges: the one that wrote the loser. */
export function decidedBy(changelog: Changelog, { config }: ReplicatedTable, loser: Version): DecidedBy {
  switch (config.conflictResolution) {
    case 'latest_wins':
    case 'source_wins':
      return 'version';
    case 'manual':
      return 'nobody';
    case 'custom':
      return loser.origin === instanceOf(readReplica(changelog.database)) ? 'resolver' : 'version';
  }
}
