import { SyncError } from '../errors.js';
import type { Skew } from '../clock/skew.js';

/** What is told where clocks differ by more than `clock.abort_skew`. */
export function clockSkew(peer: string, { skewMs }: Skew): SyncError {
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
  const side = skewMs > 0 ? 'ahead of' : 'behind';
  return new SyncError('clock_skew', `the clock of ${peer} is ${seconds} s ${side} ours`, {
    hint: 'Newer would win over older wrongly: set both clocks by NTP (timedatectl set-ntp true), or raise clock.abort_skew.',
  });
}
