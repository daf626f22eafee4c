import type { Check } from './check.js';
import { fault, fine, warning } from './finding.js';
import type { Probed } from './probe.js';

/**
 * Whether each peer that we connect to can be reached, is who it should be, speaks our protocol, and accepts our key. One
 * without an address may be away, or feed us itself.
 */
export const peersCheck: Check<Probed> = {
  name: 'peer',
  look: ({ probes }) =>
    probes.map(({ peer, error }) => {
      if (error === null) {
        return fine(`${peer.name} (${peer.address ?? 'found by discovery'}) answers, and accepts us`);
      }
      const isAway = peer.address === null && error.code === 'peer_unreachable';
      return (isAway ? warning : fault)(error.message, error.hint ?? 'Look at the log of that replica.');
    }),
};
