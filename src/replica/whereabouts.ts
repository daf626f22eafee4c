import type { Config } from '../config/config.js';
import type { Discovery } from '../discovery/discovery.js';
import type { Logger } from '../log/logger.js';
import type { PeerFinder } from '../pull/roaming.js';
import { warnOfClear } from './announce.js';

/** Where discovery has found the peers of a replica. All connections to a peer go there. */
export interface Whereabouts {
  /** Base URLs by name. */
  readonly places: ReadonlyMap<string, string>;
  /** Null where discovery is off. */
  readonly finder: PeerFinder | null;
}

/** Discovery may begin later, so that no pull waits for it: until then nothing was announced. */
export function keepWhereabouts(
  { network, security }: Config,
  discovery: () => Pick<Discovery, 'addressesOf'> | null,
  logger: Logger,
): Whereabouts {
  const places = new Map<string, string>();
  const finder: PeerFinder = {
    addressesOf: (peer) => discovery()?.addressesOf(peer) ?? [],
    placeOf: (peer) => places.get(peer) ?? null,
    onMoved(peer, address) {
      if (places.get(peer) === address) return;
      places.set(peer, address);
      logger.info('peer is at another address', { peer, address });
      warnOfClear(security, { peer, address }, logger);
    },
  };
  return { places, finder: network.discovery ? finder : null };
}
