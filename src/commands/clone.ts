import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { CommandContext, CommandDefinition } from '../cli/command.js';
import { isLoopback } from '../config/addresses.js';
import type { Config, PeerConfig } from '../config/config.js';
import { SyncError } from '../errors.js';
import { answerError } from '../pull/answer-error.js';
import { openConnection, shortJson, type HttpTarget } from '../pull/request.js';
import { fetchSnapshot, type ReceivedSnapshot } from '../pull/snapshot-client.js';
import type { FirstPull } from '../replica/first-pull.js';
import { tlsOf } from '../tls/client.js';
import { PROTOCOL } from '../wire/page.js';
import { usage } from './actions.js';
import { DEFAULT_KEY_VARIABLE, requireNew, wishOf, type CloneOptions, type Wish } from './clone-wish.js';
import { stepsBar } from './progress.js';
import { configThere } from './write-config.js';

const CONNECT_TIMEOUT_MS = 5_000;
/** Of silence. The peer answers within 10 s, if only that the snapshot is not ready. */
const REQUEST_TIMEOUT_MS = 60_000;

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
      .option('--ca <file>', 'the authority whose certificate the peer must show, for https:// (security.md)')
      .option('--cert <file>', 'the certificate of the new replica')
      .option('--cert-key <file>', 'the key of that certificate')
      .option('--force', 'overwrite an existing configuration file; never a database');
  },
  async run(context, options, [address = '']) {
    const wish = wishOf(address, options);
    requireNew(wish.database);
    if (options.force !== true && existsSync(context.configFile)) throw configThere(context.configFile);
    const peer = { name: await nodeAt(wish), address: wish.address };
    const unfinished = `${wish.database}.unfinished`;
    // Most of the program is loaded while the peer makes the snapshot, which takes longer.
    const [received, { settle }] = await Promise.all([
      receive(context, wish, peer, unfinished),
      import('./settle-clone.js'),
    ]);
    const settled = await settle(context, { wish, peer, unfinished, overwrite: options.force === true });
    report(context, { ...settled, peer, received });
    return 0;
  },
};

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

function targetOf({ address, apiKey, tls }: Wish, name: string): HttpTarget {
  return {
    name,
    address,
    apiKey,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    tls: tlsOf({ file: 'clone', security: { tls } }),
  };
}

async function receive(
  context: CommandContext,
  wish: Wish,
  peer: PeerConfig,
  file: string,
): Promise<ReceivedSnapshot> {
  const bar = stepsBar(context, peer.name, 'bytes');
  try {
    return await fetchSnapshot({
      target: targetOf(wish, peer.name),
      node: wish.node,
      file,
      // Between programs of one machine compressing takes longer than sending.
      compressed: !isLoopback(new URL(wish.address).hostname.replace(/^\[|\]$/g, '')),
      // Another snapshot is another length: then it starts over.
      onProgress: bar.show,
      onPause: (reason) => {
        context.logger.info(reason);
      },
    });
  } finally {
    bar.stop();
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
