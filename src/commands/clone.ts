import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { keepMark } from '../changelog/mark-file.js';
import type { CommandContext, CommandDefinition } from '../cli/command.js';
import { isLoopback, parseListen, parsePeerAddress } from '../config/addresses.js';
import { keyFaults, splitKeys } from '../config/api-keys.js';
import type { Config, PeerConfig } from '../config/config.js';
import { configError } from '../config/faults.js';
import { loadConfig } from '../config/load.js';
import { openFile } from '../database/open.js';
import { SyncError } from '../errors.js';
import { databasePathAnswer, listenAnswer, nodeIdAnswer } from '../init/answers.js';
import { configText, type Answers } from '../init/config-text.js';
import { answerError } from '../pull/answer-error.js';
import { openConnection, shortJson, type HttpTarget } from '../pull/request.js';
import { fetchSnapshot, forget, takeOver, type ReceivedSnapshot } from '../pull/snapshot-client.js';
import { adopt, readDescription } from '../snapshot/adopt.js';
import { firstPull, type FirstPull } from '../replica/first-pull.js';
import { PROTOCOL } from '../wire/page.js';
import type { SnapshotDescription, SnapshotTable } from '../wire/snapshot.js';
import { usage } from './actions.js';
import { progressBar, type Progress } from './progress.js';
import { configThere, writeConfig } from './write-config.js';

const CONNECT_TIMEOUT_MS = 5_000;
/** Of silence. The peer answers within 10 s, if only that the snapshot is not ready. */
const REQUEST_TIMEOUT_MS = 60_000;
const DEFAULT_KEY_VARIABLE = 'SYNC_API_KEY';
const DEFAULT_MIN_KEY_LENGTH = 32;

const HEADER = `# The configuration of one replica of sqlite-p2p-sync, written by clone: tables and peer are those of the replica that
# it was cloned from. Check them, then run
#   sqlite-p2p-sync start       serves this replica's changes and pulls those of the peers
# A key behind a # shows its default.`;

interface CloneOptions {
  readonly db: string;
  readonly node: string;
  readonly listen?: string;
  readonly keyEnv?: string;
  readonly force?: boolean;
}

/** What was asked for, checked. */
interface Wish {
  readonly address: string;
  /** Absolute. */
  readonly database: string;
  readonly node: string;
  readonly listen: string;
  readonly keyVariable: string;
  readonly apiKey: string | null;
}

/** Makes a new replica from what a running peer holds: its replicated tables, and a configuration of its own. */
export const command: CommandDefinition<CloneOptions> = {
  name: 'clone',
  summary: 'make a new replica from a running peer: its replicated tables, and a configuration',
  configure(command) {
    command
      .argument('<address>', 'the running replica, such as http://192.168.1.20:8091')
      .requiredOption('--db <file>', 'the database file to make')
      .requiredOption('--node <id>', "the new replica's node id")
      .option('--listen <host:port>', 'where its feed will listen (default: 127.0.0.1:8091)')
      .option(
        '--key-env <variable>',
        `the environment variable with the key (default: ${DEFAULT_KEY_VARIABLE})`,
      )
      .option('--force', 'overwrite an existing configuration file; never a database');
  },
  async run(context, options, [address = '']) {
    const wish = wishOf(address, options);
    requireNew(wish.database);
    if (options.force !== true && existsSync(context.configFile)) throw configThere(context.configFile);
    const peer = { name: await nodeAt(wish), address: wish.address };
    const unfinished = `${wish.database}.unfinished`;
    const received = await receive(context, wish, peer, unfinished);
    const description = readDescription(unfinished);
    requireSender(description, peer, unfinished);
    const config = configure(context, wish, peer, description, options.force === true, (draft) => {
      finish(draft, unfinished, description);
    });
    report(context, { config, peer, received, pull: await firstPull(config, peer, description.renewed) });
    return 0;
  },
};

function wishOf(given: string, options: CloneOptions): Wish {
  const address = parsePeerAddress(given);
  if (address === null)
    throw usage(`clone: ${JSON.stringify(given)} is no address`, 'Expected http://host:port or host:port.');
  const listen = listenAnswer(options.listen);
  const keyVariable = options.keyEnv ?? DEFAULT_KEY_VARIABLE;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(keyVariable)) {
    throw usage(
      '--key-env does not name an environment variable',
      'Expected its name, such as SYNC_API_KEY, and not the key itself.',
    );
  }
  const keys = splitKeys(process.env[keyVariable]);
  requireKey(keys, listen, keyVariable);
  return {
    address,
    database: resolve(options.db),
    node: nodeIdAnswer(options.node),
    listen,
    keyVariable,
    apiKey: keys[0] ?? null,
  };
}

/** What the configuration would be refused for in the end, before anything is fetched. */
function requireKey(keys: readonly string[], listen: string, variable: string): void {
  const address = parseListen(listen);
  if (address === null) throw new TypeError('Expected an address that was checked');
  const security = { api_key_env: variable, min_key_length: DEFAULT_MIN_KEY_LENGTH };
  const faults = keyFaults(keys, { node: { id: '', name: null, listen: address }, security });
  if (faults.length > 0) throw configError('the new configuration', faults);
}

/** A WAL or a journal that is left there would be taken for the new file's. */
function requireNew(file: string): void {
  const there = ['', '-wal', '-shm', '-journal']
    .map((suffix) => file + suffix)
    .find((path) => existsSync(path));
  if (there === undefined) return;
  throw new SyncError('database_exists', `${there} exists already`, {
    hint: 'clone makes a new database: name another file with --db FILE, or move that one away.',
  });
}

const healthBody = z.object({ node: z.string(), protocol: z.number() });

/** Asks who answers there. */
async function nodeAt(wish: Wish): Promise<string> {
  const connection = openConnection(targetOf(wish, 'the peer'));
  try {
    const answer = await connection.send({ method: 'GET', path: '/health' }, new AbortController().signal);
    if (answer.status !== 200) throw answerError(answer, connection.target);
    const health = healthBody.safeParse(shortJson(answer)).data;
    if (health === undefined) {
      throw new SyncError('not_a_replica', `what answers at ${wish.address} is no sqlite-p2p-sync`, {
        hint: 'Correct the address; does another program listen there?',
      });
    }
    requireFitting(health, wish);
    return health.node;
  } finally {
    await connection.close();
  }
}

function requireFitting({ node, protocol }: z.infer<typeof healthBody>, wish: Wish): void {
  if (protocol !== PROTOCOL) {
    throw new SyncError(
      'protocol_mismatch',
      `${wish.address} speaks protocol ${protocol}, this program ${PROTOCOL}`,
      { hint: 'Install the same version of sqlite-p2p-sync on both.' },
    );
  }
  if (node !== wish.node) return;
  throw usage(
    `--node ${node} is the node id of the replica at ${wish.address}`,
    'Give the new one another id.',
  );
}

function targetOf({ address, apiKey }: Wish, name: string): HttpTarget {
  return {
    name,
    address,
    apiKey,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  };
}

async function receive(
  context: CommandContext,
  wish: Wish,
  peer: PeerConfig,
  file: string,
): Promise<ReceivedSnapshot> {
  const bars: Progress[] = [];
  let total = 0;
  try {
    return await fetchSnapshot({
      target: targetOf(wish, peer.name),
      node: wish.node,
      file,
      // Between programs of one machine compressing takes longer than sending.
      compressed: !isLoopback(new URL(wish.address).hostname.replace(/^\[|\]$/g, '')),
      onProgress: (received, bytes) => {
        // Another snapshot is another length: then it starts over.
        if (bytes !== total) {
          bars.at(-1)?.stop();
          bars.push(progressBar(context, peer.name, () => bytes, 'bytes'));
        }
        total = bytes;
        bars.at(-1)?.update(received);
      },
      onPause: (reason) => {
        context.logger.info(reason);
      },
    });
  } finally {
    bars.at(-1)?.stop();
  }
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

interface Cloned {
  readonly config: Config;
  readonly peer: PeerConfig;
  readonly received: ReceivedSnapshot;
  readonly pull: FirstPull;
}

function report(context: CommandContext, { config, peer, received, pull }: Cloned): void {
  const { pulled, error, trusted } = pull;
  context.printJson({
    node: config.node.id,
    database: config.database.path,
    config_file: config.file,
    peer,
    tables: config.tables.map(({ name }) => name),
    bytes: received.bytes,
    resumed: received.resumed,
    pulled,
    pull_error: error === null ? null : { code: error.code, message: error.message },
    copy: !trusted,
  });
  context.print(`${config.database.path} is a replica of ${peer.name}: ${config.tables.length} tables.`);
  context.print(`Wrote ${config.file} for node ${config.node.id}.`);
  if (error !== null) context.logger.warn(`the first pull failed: ${error.message}`);
  if (!trusted) {
    context.logger.warn(
      'other replicas will treat this one as a copy: rows of it that they do not know, and that are older than what was pruned, wait in their quarantine',
    );
  }
  context.print(
    'Next: sqlite-p2p-sync start, and a peer entry for this replica where it is to be pulled from.',
  );
}
