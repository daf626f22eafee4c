import { renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { keepMark } from '../changelog/mark-file.js';
import type { CommandContext } from '../cli/command.js';
import type { Config, PeerConfig, TlsConfig } from '../config/config.js';
import { loadConfig } from '../config/load.js';
import { openFile } from '../database/open.js';
import { SyncError } from '../errors.js';
import { databasePathAnswer } from '../init/answers.js';
import { configText, type Answers } from '../init/config-text.js';
import { forget, takeOver } from '../pull/snapshot-client.js';
import { firstPull, type FirstPull } from '../replica/first-pull.js';
import { adopt, readDescription } from '../snapshot/adopt.js';
import type { SnapshotDescription, SnapshotTable } from '../wire/snapshot.js';
import { DEFAULT_KEY_VARIABLE, requireNew, type Wish } from './clone-wish.js';
import { writeConfig } from './write-config.js';

const HEADER = `# The configuration of one replica of sqlite-p2p-sync, written by clone: tables and peer are those of the replica that
# it was cloned from. Check them, then run
#   sqlite-p2p-sync start       serves this replica's changes and pulls those of the peers
# A key behind a # shows its default.`;

/** What there is once a snapshot has arrived. */
interface Arrived {
  readonly wish: Wish;
  readonly peer: PeerConfig;
  /** Where the snapshot is. */
  readonly unfinished: string;
  /** A configuration file that is there. */
  readonly overwrite: boolean;
}

/** Makes a replica of a snapshot that has arrived: its configuration, its database, and its first pull. */
export async function settle(
  context: CommandContext,
  { wish, peer, unfinished, overwrite }: Arrived,
): Promise<{ config: Config; pull: FirstPull }> {
  const description = readDescription(unfinished);
  requireSender(description, peer, unfinished);
  const config = configure(context, wish, peer, description, overwrite, (draft) => {
    finish(draft, unfinished, description);
  });
  return { config, pull: await firstPull(config, peer, description.renewed) };
}

function requireSender({ node }: SnapshotDescription, peer: PeerConfig, file: string): void {
  if (node === peer.name) return;
  forget(file);
  throw new SyncError(
    'wrong_node',
    `${peer.address} answers as "${peer.name}", but its snapshot is of "${node}"`,
    {
      hint: 'Run clone again; it starts from the beginning.',
    },
  );
}

/** Makes the configuration and, once that is found sound, the database; neither stays without the other. */
function configure(
  context: CommandContext,
  wish: Wish,
  peer: PeerConfig,
  description: SnapshotDescription,
  overwrite: boolean,
  makeDatabase: (draft: Config) => void,
): Config {
  const answers: Answers = {
    nodeId: wish.node,
    listen: wish.listen,
    databasePath: databasePathAnswer(wish.database, dirname(context.configFile)),
    peers: [peer],
    tables: description.tables.map(findingOf),
    timestampPatterns: null,
    tls: wish.tls === null ? {} : tlsAnswer(wish.tls, dirname(context.configFile)),
    ...(wish.keyVariable === DEFAULT_KEY_VARIABLE ? {} : { apiKeyEnv: wish.keyVariable }),
  };
  const text = configText(answers, HEADER);
  const draft = `${context.configFile}.unfinished`;
  try {
    writeConfig(draft, text, true);
    makeDatabase(loadConfig(draft));
  } finally {
    rmSync(draft, { force: true });
  }
  writeConfig(context.configFile, text, overwrite);
  return context.loadConfig();
}

/** The files as the configuration names them. */
function tlsAnswer(
  { certFile, keyFile, caFile }: TlsConfig,
  folder: string,
): Readonly<Record<string, string>> {
  const named = Object.entries({ cert: certFile, key: keyFile, ca: caFile });
  return Object.fromEntries(
    named.flatMap(([name, file]) => (file === null ? [] : [[name, databasePathAnswer(file, folder)]])),
  );
}

function findingOf(table: SnapshotTable): Answers['tables'][number] {
  return {
    name: table.name,
    kind: 'table',
    replicable: true,
    reason: null,
    remedy: null,
    integerKey: table.allow_integer_key,
    key: table.primary_key,
    timestampColumn: table.timestamp_column,
    timestampFormat: table.timestamp_format,
    softDeleteColumn: table.soft_delete_column,
    notes: [],
    settings: {
      conflictResolution: table.conflict_resolution,
      preferredNode: table.preferred_node,
      resolver: table.resolver === null ? null : `./${table.resolver}`,
      excludeColumns: table.exclude_columns,
    },
  };
}

/** From here on the file is the new replica's. */
function finish(config: Config, unfinished: string, description: SnapshotDescription): void {
  takeOver(unfinished);
  adopt(config, unfinished, description, Date.now());
  requireNew(config.database.path);
  renameSync(unfinished, config.database.path);
  const database = openFile(config.database.path, {
    readonly: true,
    busyTimeoutMs: config.database.busyTimeoutMs,
  });
  try {
    keepMark(database);
  } finally {
    database.close();
  }
}
