import { readNtp, type Ntp } from '../clock/ntp.js';
import type { Config } from '../config/config.js';
import { SyncError } from '../errors.js';
import type { Logger } from '../log/logger.js';
import { repeat } from './repeat.js';

/** What is known of whether NTP sets this machine's clock. */
export interface NtpWatch {
  /** Null where nobody wants to know (`clock.require_ntp: off`), or it was not asked yet. */
  readonly ntp: Ntp | null;
}

export interface NtpParts {
  readonly requireNtp: Config['clock']['requireNtp'];
  readonly logger: Logger;
  /** Aborted when the replica stops. */
  readonly signal: AbortSignal;
  readonly look?: () => Promise<Ntp>;
}

/** A machine that boots is set some time after the daemon starts. */
const LOOK_INTERVAL_MS = 10 * 60_000;

export const NTP_FIX =
  'Let NTP set the clock: timedatectl set-ntp true on Linux, sudo systemsetup -setusingnetworktime on on macOS.';

/**
 * Looks whether NTP sets the clock, now and every ten minutes, and logs each turn once. Rejects with
 * `clock_not_synchronised` where `clock.require_ntp: fail` asks for what can't be shown; otherwise nothing waits for it.
 */
export async function watchNtp({ requireNtp, logger, signal, look = readNtp }: NtpParts): Promise<NtpWatch> {
  let ntp: Ntp | null = null;
  if (requireNtp === 'off') return { ntp };
  const again = async (): Promise<void> => {
    const before: Ntp | null = ntp;
    const now = await look();
    ntp = now;
    if (before?.state !== now.state && !signal.aborted) say(now, logger);
  };
  const first = again();
  if (requireNtp === 'fail') {
    await first;
    requireSynchronised(ntp);
  }
  repeat(LOOK_INTERVAL_MS, again, { what: 'could not ask for the state of NTP', logger, signal });
  return {
    get ntp() {
      return ntp;
    },
  };
}

function say({ state, detail }: Ntp, logger: Logger): void {
  if (state === 'not_synchronised') logger.warn('the clock is not synchronised', { detail, hint: NTP_FIX });
  else if (state === 'unknown') logger.info('whether NTP sets the clock is unknown', { detail });
  else logger.debug('the clock is synchronised', { detail });
}

function requireSynchronised(ntp: Ntp | null): void {
  if (ntp === null || ntp.state === 'synchronised') return;
  const what =
    ntp.state === 'unknown'
      ? 'whether NTP sets the clock is unknown'
      : 'the clock is not synchronised by NTP';
  throw new SyncError('clock_not_synchronised', `${what} (${ntp.detail}), and clock.require_ntp is fail`, {
    hint: `${NTP_FIX} Or set clock.require_ntp: warn.`,
  });
}
