import { openChangelog } from '../changelog/changelog.js';
import { countRows } from '../changelog/evictions.js';
import type { CommandContext, CommandDefinition, ExitStatus } from '../cli/command.js';
import type { Config, PeerConfig } from '../config/config.js';
import { checkTables } from '../database/check-tables.js';
import { requireMigrated } from '../database/migrate.js';
import { openForReading } from '../database/open.js';
import { SyncError } from '../errors.js';
import { createAttempts } from '../pull/attempts.js';
import { createPeerClient } from '../pull/client.js';
import { createFingerprintClient } from '../pull/fingerprint-client.js';
import { openConnection } from '../pull/request.js';
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

async function verify(
  context: CommandContext,
  config: Config,
  peer: PeerConfig,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const connection = openConnection({
    name: peer.name,
    address: peer.address,
    apiKey: config.security.apiKeys[0] ?? null,
    connectTimeoutMs: config.network.connectTimeoutMs,
    requestTimeoutMs: config.network.requestTimeoutMs,
  });
  const database = openForReading(config);
  try {
    requireMigrated(database);
    const changelog = openChangelog(database, checkTables(config, database));
    const tables = chosenTables(config, changelog.tables, options.table);
    const attempts = createAttempts(peer.name, config.network);
    const { signal } = new AbortController();
    await attempts.run(() => createPeerClient(connection, config.node.id, Date.now).health(signal), signal);
    const client = createFingerprintClient(connection, attempts, signal);
    const pulls = await bothPull(config, peer, connection, context.logger);
    try {
      const shapes = await client.shapes();
      const results: TableResult[] = [];
      const repairs: { table: string; outcome: RepairOutcome }[] = [];
      for (const table of tables) {
        const progress = progressBar(context, table.name, () => countRows(changelog, table));
        const parts: VerifyParts = {
          changelog,
          peer: client,
          settle: () => pulls.run(),
          onProgress: (rows) => {
            progress.update(rows);
          },
        };
        const found = await verifyTable(parts, table, shapes);
        progress.stop();
        if (options.repair !== true || found.differences.length === 0) {
          results.push(found);
          continue;
        }
        const repair = { peer: client, peerName: peer.name, peerOrigin: shapes.origin };
        const done = await writing(config, (own) => repairTable({ ...repair, connection: own }, found));
        repairs.push(...done.map((outcome) => ({ table: table.name, outcome })));
        results.push(await lookAfterRepair(parts, found));
      }
      return reportOf({ peer: peer.name, results, repairs, requests: client.requests, pulled: pulls.last });
    } finally {
      await pulls.close();
    }
  } finally {
    database.close();
    await connection.close();
  }
}

async function lookAfterRepair(parts: VerifyParts, found: TableResult): Promise<TableResult> {
  await parts.settle();
  const keys = found.differences.map(({ here }) => here.key);
  return { ...found, ...(await lookAgain({ ...parts, compared: found.compared }, keys)) };
}
