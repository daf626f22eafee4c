import { SyncError } from '../errors.js';
import type { Config, PeerConfig } from './config.js';

/** Whether we connect to the peer: at its address, or where discovery finds it. */
export function isReachable(
  { address }: Pick<PeerConfig, 'address'>,
  { network }: { readonly network: Pick<Config['network'], 'discovery'> },
): boolean {
  return address !== null || network.discovery;
}

/** Throws `no_address` where the peer can't be connected to. */
export function requireReachable(
  peer: PeerConfig,
  config: { readonly network: Pick<Config['network'], 'discovery'> },
): void {
  if (!isReachable(peer, config)) throw noAddress(peer.name);
}

/** What is told of a peer that is configured without an address. */
export function noAddress(peer: string): SyncError {
  return new SyncError('no_address', `${peer} has no address here: it feeds this replica itself`, {
    hint: `Ask on ${peer} (sqlite-p2p-sync trigger, sync), or give it an address under peers: in the configuration.`,
  });
}
