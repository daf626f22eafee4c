import { renewalAhead, type Renewal } from '../changelog/identity.js';
import { markFileOf } from '../changelog/mark-file.js';
import { readReplica } from '../changelog/changelog.js';
import type { Check } from './check.js';
import { fault, fine, warning } from './finding.js';
import type { OpenReplica } from './subjects.js';

/** Whether this file is what its replica left: any other goes on as a new instance, which is right for a copy or a backup. */
export const markFileCheck: Check<OpenReplica> = {
  name: 'mark_file',
  look({ database, config, daemon }) {
    const reason = renewalAhead(database, config.node.id);
    if (reason === null) return [fine(`${markFileOf(config.database.path)} agrees with the database`)];
    const said = SAID[reason](config.database.path, readReplica(database).node);
    if (daemon.running) {
      const fix = 'Stop the daemon, see that the right file is in place, and start it again.';
      return [fault(`${said}, while the daemon runs`, fix)];
    }
    return [
      warning(`${said}; the next start goes on as a new instance, and compares everything`, FIXES[reason]),
    ];
  },
};

const SAID: Readonly<Record<Renewal, (path: string, node: string) => string>> = {
  other_node: (path, node) => `${path} is the database of replica "${node}", or a copy of it`,
  other_file: (path) => `${path} is not the file that this replica left, or ${markFileOf(path)} is missing`,
  rewound: (path) => `${path} lacks what this replica had: it was restored from a backup`,
};

const FIXES: Readonly<Record<Renewal, string>> = {
  other_node: 'Nothing, where it is meant to be a new replica; else correct database.path or node.id first.',
  other_file: 'Nothing, where you have moved or restored it; else put the right file in place first.',
  rewound: 'Nothing: what the peers still have comes back. Else put the newer file in place first.',
};
