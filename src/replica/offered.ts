import { isSkewed } from '../clock/skew.js';
import type { Config } from '../config/config.js';
import { messageOf, SyncError } from '../errors.js';
import type { OfferDesk } from '../feed/offers.js';
import type { Logger } from '../log/logger.js';
import { clockSkew } from '../pull/clock-skew.js';
import type { PullFailure, PullRecord } from '../pull/state.js';

/** What a peer offered here last. Times are ms since 1970. */
export interface Offered {
  readonly lastSuccessMs: number | null;
  readonly lastError: PullFailure | null;
  /** The peer's clock ahead of ours, ms. */
  readonly skewMs: number | null;
}

export interface OfferedParts {
  readonly peers: readonly string[];
  readonly pageSize: number;
  readonly admit: () => Promise<void>;
  readonly logger: Logger;
  /** ms since 1970. */
  readonly now: () => number;
  readonly clock: Config['clock'];
  /** Makes what says of a peer's pages and clock what is said where it is pulled from. */
  readonly recordOf: (peer: string) => Pick<PullRecord, 'page' | 'skew'>;
  readonly skewsMs: () => Readonly<Record<string, number>>;
}

/** Keeps what peers have offered, and says each turn of it once. */
export interface OfferedRecord extends OfferDesk {
  readonly states: ReadonlyMap<string, Offered>;
  /** One more peer may offer. */
  add(peer: string): void;
}

/** Answers to a page that the peer goes on from by itself. */
const ORDINARY: ReadonlySet<string> = new Set(['cursor_moved', 'instance_renewed', 'rows_missing']);

export function recordOffers({
  peers: first,
  pageSize,
  admit,
  logger,
  now,
  clock,
  recordOf,
  skewsMs,
}: OfferedParts): OfferedRecord {
  const states = new Map<string, Offered>();
  const failing = new Map<string, string>();
  const peers = [...first];
  const records = new Map(peers.map((peer) => [peer, recordOf(peer)]));
  const stateOf = (peer: string) =>
    states.get(peer) ?? { lastSuccessMs: null, lastError: null, skewMs: null };
  return {
    states,
    peers,
    pageSize,
    admit,
    skewsMs,
    add(peer) {
      peers.push(peer);
      records.set(peer, recordOf(peer));
    },
    acceptSkew(peer, skew) {
      records.get(peer)?.skew(skew);
      states.set(peer, { ...stateOf(peer), skewMs: skew.skewMs });
      if (isSkewed(skew, clock.abortSkewMs)) throw clockSkew(peer, skew);
    },
    took(peer, page) {
      const again = failing.delete(peer);
      states.set(peer, { ...stateOf(peer), lastSuccessMs: now() });
      records.get(peer)?.page(page);
      const { received, applied, skipped, conflicts, quarantined } = page;
      const fields = { peer, received, applied, skipped, conflicts, quarantined };
      logger.log(again || received > 0 ? 'info' : 'debug', 'took an offered page', fields);
      if (quarantined > 0) logger.warn('changes were quarantined', { peer, quarantined });
    },
    refused(peer, error) {
      const known = error instanceof SyncError;
      const code = known ? error.code : 'unexpected';
      if (ORDINARY.has(code)) {
        logger.debug('an offered page was not the one that is wanted', { peer, code });
        return;
      }
      const hint = known ? (error.hint ?? null) : null;
      states.set(peer, {
        ...stateOf(peer),
        lastError: { code, message: messageOf(error), hint, atMs: now() },
      });
      logger.log(failing.get(peer) === code ? 'debug' : 'warn', 'refused an offered page', { peer, error });
      failing.set(peer, code);
    },
  };
}
