import { SyncError } from '../errors.js';
import type { PullRecord } from './state.js';

/** How a pull has ended. */
export type PullEnd = 'success' | 'unreachable' | 'breaker_open' | 'failed';

/** Told of every pull that has ended; not of one that was given up since the replica stops. */
export type PullMeter = (peer: string, end: PullEnd, durationMs: number) => void;

/** The same record; how its pulls end, and how long they took, is told. */
export function meteredRecord(
  record: PullRecord,
  peer: string,
  meter: PullMeter,
  elapsedMs: () => number = () => performance.now(),
): PullRecord {
  let startedMs = 0;
  const ended = (end: PullEnd) => {
    meter(peer, end, elapsedMs() - startedMs);
  };
  return {
    ...record,
    get state() {
      return record.state;
    },
    started(loud) {
      startedMs = elapsedMs();
      record.started(loud);
    },
    succeeded(result, loud, asked) {
      ended('success');
      record.succeeded(result, loud, asked);
    },
    failed(error, loud) {
      ended(endOf(error));
      record.failed(error, loud);
    },
  };
}

/** Of the codes only those by which one acts differently: a peer can't make up new ones. */
export function endOf(error: unknown): PullEnd {
  const code = error instanceof SyncError ? error.code : '';
  if (code === 'peer_unreachable') return 'unreachable';
  return code === 'breaker_open' ? 'breaker_open' : 'failed';
}
