import { Counter, Histogram, type Registry } from 'prom-client';
import type { PullEnd } from '../pull/metered-record.js';
import type { ApplyResponse, FoldTally } from '../threads/calls.js';
import type { AnsweredRequest } from '../feed/meter.js';
import { NO_LATENCIES } from '../apply/latency.js';
import { createLatencyHistogram } from './latency-histogram.js';
import { PREFIX } from './names.js';

/** Adds up what happens from when this process opened the replica. */
export interface Counters {
  /** One more peer is pulled from. */
  knows(peer: string): void;
  folded(tally: FoldTally): void;
  applied(peer: string, page: ApplyResponse): void;
  pulled(peer: string, end: PullEnd, durationMs: number): void;
  served(changes: number): void;
  answered(request: AnsweredRequest): void;
}

const PULL_ENDS = ['success', 'unreachable', 'breaker_open', 'failed'] as const satisfies readonly PullEnd[];
/** From a read on the same machine to the deadline of an answer, s. */
const REQUEST_BUCKETS_S = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60];
const PULL_BUCKETS_S = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800];

/** The series of the peers that it knows are there, with 0, before anything happens. */
export function createCounters(registry: Registry): Counters {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: PREFIX + name, help, labelNames, registers });
  const ofPeer = (name: string, help: string) => counter(name, help, 'peer');

  const captured = counter(
    'changes_captured_total',
    'Changelog entries of the triggers and of backfill, counted when they are folded.',
  );
  const folded = counter('changes_folded_total', 'Versions that were made of them, one per row.');
  const served = counter('changes_served_total', 'Changes in pages that were sent whole.');
  const received = ofPeer('changes_pulled_total', 'Changes in the pages of a peer that were applied.');
  const applied = ofPeer('changes_applied_total', 'Rows written or deleted here for a change of a peer.');
  const skipped = ofPeer(
    'changes_skipped_total',
    'Changes that this replica had already, or that lost against what it has.',
  );
  const conflicts = ofPeer('conflicts_total', 'Conflicts entered in the ledger or merged by a resolver.');
  const quarantined = ofPeer('changes_quarantined_total', 'Changes put into the quarantine.');
  const latency = createLatencyHistogram(registry, {
    name: `${PREFIX}propagation_seconds`,
    help: "From the stamp of an applied change (its row's own timestamp, or when it was captured) until it was applied here. The clock of its origin is corrected by the skew where the origin is a peer of ours; others are taken as right. Old rows of a first pull count with their age.",
  });
  const pulls = counter('pulls_total', 'Pulls that have ended.', 'peer', 'result');
  const pullDuration = new Histogram({
    name: `${PREFIX}pull_duration_seconds`,
    help: 'How long the pulls took that reached the head of the peer.',
    labelNames: ['peer'],
    buckets: PULL_BUCKETS_S,
    registers,
  });
  const requests = counter(
    'http_requests_total',
    'Requests to this replica. The route is a template, "other" where none matched or the request was turned away before; the status is "aborted" where the client left.',
    'route',
    'method',
    'status',
  );
  const requestDuration = new Histogram({
    name: `${PREFIX}http_request_duration_seconds`,
    help: 'From the head of a request to the end of its answer, the time included that a long poll is held.',
    labelNames: ['route', 'method'],
    buckets: REQUEST_BUCKETS_S,
    registers,
  });
  const keyFailures = counter('key_failures_total', 'Requests refused with 401: no key, or a wrong one.');

  return {
    knows(peer) {
      for (const each of [received, applied, skipped, conflicts, quarantined]) each.inc({ peer }, 0);
      for (const result of PULL_ENDS) pulls.inc({ peer, result }, 0);
      pullDuration.zero({ peer });
      latency.add(peer, NO_LATENCIES);
    },
    folded({ entries, versions }) {
      captured.inc(entries);
      folded.inc(versions);
    },
    applied(peer, page) {
      received.inc({ peer }, page.received);
      applied.inc({ peer }, page.applied);
      skipped.inc({ peer }, page.skipped);
      conflicts.inc({ peer }, page.conflicts);
      quarantined.inc({ peer }, page.quarantined);
      latency.add(peer, page.latencies);
    },
    pulled(peer, result, durationMs) {
      pulls.inc({ peer, result });
      if (result === 'success') pullDuration.observe({ peer }, durationMs / 1000);
    },
    served(changes) {
      served.inc(changes);
    },
    answered({ route, method, status, durationMs }) {
      requests.inc({ route, method, status });
      requestDuration.observe({ route, method }, durationMs / 1000);
      if (status === 401) keyFailures.inc();
    },
  };
}
