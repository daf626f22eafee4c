import { openChangelog } from '../changelog/changelog.js';
import { countRows } from '../changelog/evictions.js';
import type { CommandContext, CommandDefinition, ExitStatus } from '../cli/command.js';
import type { Config, PeerConfig } from '../config/config.js';
import { requireReachable } from '../config/peers.js';
import { checkTables } from '../database/check-tables.js';
import { requireMigrated } from '../database/migrate.js';
import { openForReading } from '../database/open.js';
import type { ReplicatedTable } from '../database/replicable.js';
import { SyncError } from '../errors.js';
import { createAttempts } from '../pull/attempts.js';
import { createPeerClient } from '../pull/client.js';
import { createFingerprintClient, type FingerprintClient } from '../pull/fingerprint-client.js';
import type { HttpConnection } from '../pull/request.js';
import { openRoaming, type PeerFinder } from '../pull/roaming.js';
import { findOnce } from '../replica/find-peers.js';
import { tlsOf } from '../tls/client.js';
import type { Shapes } from '../wire/fingerprints.js';
import { lookAgain } from '../verify/look.js';
import { repairTable, type RepairOutcome } from '../verify/repair-table.js';
import { verifyTable, type TableResult, type VerifyParts } from '../verify/verify-table.js';
import { usage } from './actions.js';
import { bothPull } from './both-pull.js';
import { chosenTables } from './chosen-tables.js';
import { writing } from './own-connection.js';
import { progressBar } from './progress.js';
import { reportOf, type VerifyReport } from './verify-report.js';
import { verifyText } from './verify-text.js';

interface VerifyOptions {
  readonly peer?: string;
  readonly repair?: boolean;
  readonly table?: readonly string[];
}

export const command: CommandDefinition<VerifyOptions> = {
  name: 'verify',
  summary: "prove that a peer's tables hold the same rows, or name those that differ",
  configure(command) {
    command
      .option('--peer <name>', 'the peer to compare with')
      .option('--table <name...>', 'only these tables')
      .option('--repair', 'make them equal, by the ordinary rules for versions');
  },
  async run(context, options): Promise<ExitStatus> {
    const config = context.loadConfig();
    const report = await verify(context, config, requiredPeer(config, options.peer), options);
    context.print(verifyText(report));
    context.printJson(report);
    return report.equal ? 0 : 1;
  },
};

function requiredPeer(config: Config, name: string | undefined): PeerConfig {
  if (name === undefined)
    throw usage('verify: --peer is missing', 'Name a peer of the configuration: --peer NAME.');
  const peer = config.peers.find((known) => known.name === name);
  if (peer !== undefined) return peer;
  const known = config.peers.map((each) => each.name).join(', ');
  throw new SyncError('unknown_peer', `no peer "${name}" is configured`, {
    hint: known === '' ? 'Peers are named under peers: in the configuration.' : `Configured: ${known}.`,
    exitCode: 2,
  });
}

/** What comparing every table with one peer needs. */
interface Comparison extends Omit<VerifyParts, 'onProgress'> {
  readonly context: CommandContext;
  readonly config: Config;
  readonly peerName: string;
  readonly shapes: Shapes;
}

async function verify(
  context: CommandContext,
  config: Config,
  peer: PeerConfig,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const finder = await findOnce(config, [peer], context.logger);
  const connection = connectionTo(peer, config, finder);
  const database = openForReading(config);
  try {
    requireMigrated(database);
    const changelog = openChangelog(database, checkTables(config, database));
    const tables = chosenTables(config, changelog.tables, options.table);
    const client = await openClient(connection, config, peer);
    const pulls = await bothPull(config, peer, connection, context.logger);
    try {
      const parts = { changelog, peer: client, settle: () => pulls.run() };
      const comparison = { ...parts, context, config, peerName: peer.name, shapes: await client.shapes() };
      const found = await compareTables(comparison, tables, options.repair === true);
      return reportOf({ ...found, peer: peer.name, requests: client.requests, pulled: pulls.last });
    } finally {
      await pulls.close();
    }
  } finally {
    database.close();
    await connection.close();
  }
}

function connectionTo(peer: PeerConfig, config: Config, finder: PeerFinder | null): HttpConnection {
  requireReachable(peer, config);
  const { name, address } = peer;
  const { security, network } = config;
  const { connectTimeoutMs, requestTimeoutMs } = network;
  const target = {
    name,
    address,
    apiKey: security.apiKeys[0] ?? null,
    connectTimeoutMs,
    requestTimeoutMs,
    tls: tlsOf(config),
  };
  return openRoaming(target, finder);
}

/** Refuses a peer that is not the configured one. */
async function openClient(
  connection: HttpConnection,
  config: Config,
  peer: PeerConfig,
): Promise<FingerprintClient> {
  const attempts = createAttempts(peer.name, config.network);
  const { signal } = new AbortController();
  await attempts.run(() => createPeerClient(connection, config.node.id, Date.now).health(signal), signal);
  return createFingerprintClient(connection, attempts, signal);
}

interface Compared {
  readonly results: readonly TableResult[];
  readonly repairs: readonly { table: string; outcome: RepairOutcome }[];
}

/** Compares one table after the other, with `repair` repairs each at once, and looks at what it repaired again. */
async function compareTables(
  comparison: Comparison,
  tables: readonly ReplicatedTable[],
  repair: boolean,
): Promise<Compared> {
  const results: TableResult[] = [];
  const repairs: { table: string; outcome: RepairOutcome }[] = [];
  for (const table of tables) {
    const found = await compareTable(comparison, table);
    if (!repair || found.differences.length === 0) {
      results.push(found);
      continue;
    }
    const { config, peer, peerName, shapes } = comparison;
    const done = await writing(config, (connection) =>
      repairTable({ connection, peer, peerName, peerOrigin: shapes.origin }, found),
    );
    repairs.push(...done.map((outcome) => ({ table: table.name, outcome })));
    results.push(await lookAfterRepair(comparison, found));
  }
  return { results, repairs };
}

async function compareTable(comparison: Comparison, table: ReplicatedTable): Promise<TableResult> {
  const { context, changelog, shapes } = comparison;
  const progress = progressBar(context, table.name, () => countRows(changelog, table));
  const onProgress = (rows: number) => {
    progress.update(rows);
  };
  const found = await verifyTable({ ...comparison, onProgress }, table, shapes);
  progress.stop();
  return found;
}

async function lookAfterRepair(comparison: Comparison, found: TableResult): Promise<TableResult> {
  await comparison.settle();
  const keys = found.differences.map(({ here }) => here.key);
  return { ...found, ...(await lookAgain({ ...comparison, compared: found.compared }, keys)) };
}
