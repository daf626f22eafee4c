import { readNtp, type Ntp } from '../clock/ntp.js';
import type { Config } from '../config/config.js';
import { NTP_FIX } from '../replica/ntp.js';
import type { Check } from './check.js';
import { fault, fine, warning, type Seen } from './finding.js';
import type { Setup } from './subjects.js';

/** Whether NTP sets this machine's clock, where somebody wants to know. */
export const ntpCheck: Check<Setup> = {
  name: 'ntp',
  async look({ config: { clock } }) {
    return clock.requireNtp === 'off' ? [] : [judged(await readNtp(), clock.requireNtp)];
  },
};

function judged({ state, detail }: Ntp, requireNtp: Config['clock']['requireNtp']): Seen {
  if (state === 'synchronised') return fine(`NTP sets the clock (${detail})`);
  const said =
    state === 'unknown'
      ? `whether NTP sets the clock is unknown (${detail})`
      : `the clock is not synchronised by NTP (${detail})`;
  if (requireNtp === 'fail') {
    return fault(`${said}: start refuses by clock.require_ntp`, `${NTP_FIX} Or set clock.require_ntp: warn.`);
  }
  // A container often can't tell, and has the clock of its host.
  return state === 'unknown' ? fine(said) : warning(said, NTP_FIX);
}
