import { isSkewed } from '../clock/skew.js';
import type { Check } from './check.js';
import { fault, fine, warning, type Seen } from './finding.js';
import type { Probed } from './probe.js';

const FIX = 'Let NTP set the clock on both machines (timedatectl set-ntp true).';

/** Whether the clocks of the peers agree with ours. */
export const skewCheck: Check<Probed> = {
  name: 'clock',
  look: ({ probes, config: { clock } }) =>
    probes.flatMap(({ peer, health }): Seen[] => {
      const skew = health?.skew ?? null;
      if (skew === null) return [];
      const said = `the clock of ${peer.name} is ${Math.abs(skew.skewMs)} ms ${skew.skewMs < 0 ? 'behind' : 'ahead of'} ours`;
      if (isSkewed(skew, clock.abortSkewMs)) {
        return [fault(`${said}: above clock.abort_skew, ${clock.abortSkewMs} ms, nothing is pulled`, FIX)];
      }
      if (isSkewed(skew, clock.maxSkewMs)) {
        return [warning(`${said}, more than clock.max_skew, ${clock.maxSkewMs} ms`, FIX)];
      }
      return [fine(said)];
    }),
};
