import { SyncError } from '../errors.js';
import type { PeerConfig } from './config.js';

/** A peer that we can connect to. */
export interface ReachablePeer extends PeerConfig {
  readonly address: string;
}

export function isReachable(peer: PeerConfig): peer is ReachablePeer {
  return peer.address !== null;
}

/** Throws `no_address` where the peer can't be connected to. */
export function requireAddress(peer: PeerConfig): ReachablePeer {
  if (isReachable(peer)) return peer;
  throw noAddress(peer.name);
}

/** What is told of a peer that is configured without an address. */
export function noAddress(peer: string): SyncError {
  return new SyncError('no_address', `${peer} has no address here: it feeds this replica itself`, {
    hint: `Ask on ${peer} (sqlite-p2p-sync trigger, sync), or give it an address under peers: in the configuration.`,
  });
}
