import type { CommandContext, ExitStatus } from '../cli/command.js';
import { addPeer } from '../config/add-peer.js';
import type { Config } from '../config/config.js';
import { lookAround } from '../discovery/look-around.js';
import { isCode, SyncError } from '../errors.js';
import { provenAddress } from '../pull/roaming.js';
import { foundReports, type FoundReport } from '../replica/find-peers.js';
import type { StatusReport } from '../replica/status.js';
import { tlsOf } from '../tls/client.js';
import { usage } from './actions.js';
import { openDaemon } from './daemon.js';

/** Enters a found replica in the configuration, once it has proved that it knows our key, and has the daemon pull. */
export async function accept(context: CommandContext, name: string | undefined): Promise<ExitStatus> {
  const config = context.loadConfig();
  if (name === undefined) {
    throw usage('peers accept names no replica', 'sqlite-p2p-sync status shows those that were found.');
  }
  if (!config.network.discovery) {
    throw usage(
      'peers accept: network.discovery is off, so that nothing was found',
      'Set it to true, or enter the peer with its address under peers: in the configuration.',
    );
  }
  if (name === config.node.id) throw usage(`${name} is this replica itself`, 'Accept another one.');
  const known = config.peers.some((peer) => peer.name === name);
  if (!known) await enter(context, config, name);
  const pulling = await reload(config);
  const entered = known ? `${name} is configured already` : `${name} is entered in ${config.file}`;
  context.print(
    `${entered}. ${pulling ? 'The daemon pulls from it now.' : 'No daemon is running: start it.'}`,
  );
  context.printJson({ accepted: name, entered: !known, pulling });
  return 0;
}

/** What the running daemon has found; null without one. Nothing where discovery is off. */
export async function foundByDaemon(config: Config): Promise<readonly FoundReport[] | null> {
  if (!config.network.discovery) return [];
  const status = (await askDaemon(config, 'GET', '/sync/status')) as StatusReport | null;
  return status?.found ?? null;
}

async function enter({ configFile, logger }: CommandContext, config: Config, name: string): Promise<void> {
  const look = { interfaceAddress: config.network.discoveryInterface, logger, wanted: [name] };
  const found = (await foundByDaemon(config)) ?? foundReports(await lookAround(look), config.peers);
  const addresses = found.flatMap((each) => (each.node === name ? each.addresses : []));
  if (addresses.length === 0) {
    const names = [...new Set(found.map(({ node }) => node))].join(', ');
    throw new SyncError('unknown_peer', `no replica "${name}" was found in the local network`, {
      hint: `It must run with network.discovery: true. Found: ${names === '' ? 'none' : names}.`,
      exitCode: 2,
    });
  }
  if (await provesItself(config, name, [...new Set(addresses)])) {
    addPeer(configFile, name);
    return;
  }
  throw new SyncError('not_proven', `${name} was found, but does not prove that it knows our key`, {
    hint: `Is it yours? Then both need the same ${config.security.apiKeyEnv}, and this machine must reach ${addresses[0] ?? 'it'}.${certificateHint(config)}`,
  });
}

async function provesItself(config: Config, name: string, addresses: readonly string[]): Promise<boolean> {
  const { connectTimeoutMs, requestTimeoutMs } = config.network;
  const apiKey = config.security.apiKeys[0] ?? null;
  const target = { name, address: null, apiKey, connectTimeoutMs, requestTimeoutMs, tls: tlsOf(config) };
  return (await provenAddress(target, addresses, new AbortController().signal)) !== null;
}

function certificateHint({ security }: Config): string {
  if (security.tls === null) return '';
  return ' With security.tls it must serve https, by a certificate of our authority that names that address or its node id.';
}

/** Has the daemon read the configured peers again; false without one. */
async function reload(config: Config): Promise<boolean> {
  return (await askDaemon(config, 'POST', '/sync/reload-peers')) !== null;
}

/** The daemon's answer; null without one. */
async function askDaemon(config: Config, method: 'GET' | 'POST', path: string): Promise<unknown> {
  try {
    const daemon = await openDaemon(config);
    try {
      return await daemon.ask({ method, path });
    } finally {
      await daemon.close();
    }
  } catch (error) {
    if (isCode(error, 'no_daemon')) return null;
    throw error;
  }
}
