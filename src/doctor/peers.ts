import type { Check } from './check.js';
import { fault, fine } from './finding.js';
import type { Probed } from './probe.js';

/** Whether each peer that has an address can be reached, is who it should be, speaks our protocol, and accepts our key. */
export const peersCheck: Check<Probed> = {
  name: 'peer',
  look: ({ probes }) =>
    probes.map(({ peer, error }) =>
      error === null
        ? fine(`${peer.name} (${peer.address}) answers, and accepts us`)
        : fault(error.message, error.hint ?? 'Look at the log of that replica.'),
    ),
};
