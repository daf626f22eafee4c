import type { Ntp } from '../clock/ntp.js';
import type { Config } from '../config/config.js';
import type { DanglingReference } from '../changelog/dangling.js';
import type { OfferLoop } from '../offer/loop.js';
import type { PeerLoop } from '../pull/loop.js';
import type { PullFailure } from '../pull/state.js';
import type { LocalStatus } from '../threads/calls.js';
import type { DiskGuard } from './disk.js';
import type { FoundReport } from './find-peers.js';
import { memberReports, type MemberReport } from './member-report.js';
import type { Offered } from './offered.js';

/** One peer in `GET /sync/status`. Times are ms since 1970; null: not known (yet). */
export interface PeerReport {
  readonly name: string;
  /** The configured one. Null: none is, or it is not configured here. */
  readonly address: string | null;
  /** Null: it pulls from us, and is not configured here. */
  readonly direction: 'pull' | 'both' | null;
  /** Where discovery found it, while that is where it is asked; else null. */
  readonly found_at: string | null;
  readonly cursor: string;
  readonly behind: number | null;
  readonly last_applied_ms: number | null;
  /** Our newest log id that it has acknowledged. */
  readonly acknowledged: number | null;
  readonly acknowledged_ms: number | null;
  /** Null without a daemon, and for a peer that we don't connect to. */
  readonly pull: PullReport | null;
  /** How our offers to it stand; null without a daemon, and for a peer that is not fed over our connections. */
  readonly offer: OfferReport | null;
  /** What it offered here; null where that was nothing since this replica was started. */
  readonly offered: OfferedReport | null;
}

export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly at_ms: number;
}

/** What the running daemon knows of its offers to a peer. */
export interface OfferReport {
  readonly phase: 'waiting' | 'offering' | 'stopped';
  readonly failing: boolean;
  /** Entries of our log after what the peer has acknowledged, at most. */
  readonly behind: number;
  readonly last_attempt_ms: number | null;
  readonly last_success_ms: number | null;
  readonly last_error: ErrorReport | null;
}

/** What the running daemon knows of the pages that a peer offered. */
export interface OfferedReport {
  readonly last_success_ms: number | null;
  readonly last_error: ErrorReport | null;
  /** The peer's clock ahead of ours. */
  readonly skew_ms: number | null;
}

/** What the running daemon knows of its pulls from a peer. */
export interface PullReport {
  readonly phase: 'waiting' | 'pulling' | 'stopped';
  readonly lost: boolean;
  readonly failing: boolean;
  /** A question is held at the peer: what it has arrives at once. */
  readonly live: boolean;
  readonly breaker: 'closed' | 'open' | 'half_open';
  readonly last_attempt_ms: number | null;
  readonly last_success_ms: number | null;
  readonly last_error: ErrorReport | null;
  /** The peer's clock ahead of ours. */
  readonly skew_ms: number | null;
}

/** The backups in the configured folder. */
export interface BackupReport {
  /** Cron line; null: none is made by itself. */
  readonly schedule: string | null;
  readonly dir: string;
  /** How many are there, of any kind. */
  readonly kept: number;
  /** The newest; null: none is there. */
  readonly last: { file: string; at_ms: number; bytes: number } | null;
  /** Whether one is being made. */
  readonly running: boolean;
  /** Why the last attempt failed; null where it did not, or none was made since the daemon was started. */
  readonly last_error: { code: string; message: string; hint: string | null; at_ms: number } | null;
}

/** The answer of `GET /sync/status` and of `status --json`. */
export interface StatusReport {
  readonly node: string;
  readonly name: string;
  readonly version: string;
  readonly epoch: string;
  /** False where `status` read the database without a daemon. */
  readonly running: boolean;
  readonly listen: string | null;
  readonly time_ms: number;
  readonly tables: readonly string[];
  /** The newest log id. */
  readonly head: number;
  /** Entries that no fold has read yet. */
  readonly unfolded: number;
  readonly quarantined: number;
  readonly conflicts: number;
  /** Tables with rows that `backfill` has to enter. */
  readonly backfill_needed: readonly string[];
  /** Rows that refer to rows which are not there; looked for at most a small share of the time. */
  readonly dangling_references: readonly DanglingReference[];
  readonly database_bytes: number;
  readonly wal_bytes: number;
  readonly disk_free_bytes: number | null;
  readonly disk_low: boolean;
  /** Whether NTP sets this machine's clock; null where it was not asked. */
  readonly ntp: Ntp | null;
  readonly backup: BackupReport;
  readonly peers: readonly PeerReport[];
  /** Tombstones up to this log id can be pruned. */
  readonly prune_up_to: number;
  /** Every other replica that was heard of, also through others. */
  readonly members: readonly MemberReport[];
  /** What discovery has found; empty where it is off, and without a daemon. */
  readonly found: readonly FoundReport[];
}

export interface StatusParts {
  readonly config: Config;
  readonly version: string;
  readonly local: LocalStatus;
  readonly dangling: readonly DanglingReference[];
  readonly disk: Pick<DiskGuard, 'freeBytes' | 'low'>;
  readonly ntp: Ntp | null;
  readonly backup: BackupReport;
  /** Empty without a daemon. */
  readonly loops: ReadonlyMap<string, Pick<PeerLoop, 'state'>>;
  readonly offers?: ReadonlyMap<string, Pick<OfferLoop, 'state'>>;
  readonly offered?: ReadonlyMap<string, Offered>;
  readonly running: boolean;
  readonly listen: string | null;
  readonly nowMs: number;
  readonly found?: readonly FoundReport[];
  /** Addresses where peers were found, by name. */
  readonly foundAt?: ReadonlyMap<string, string>;
}

/** The answer of `GET /nodes`: this replica, the peers that it pulls from, then those that are only found. */
export interface NodesReport {
  readonly nodes: readonly NodeReport[];
}

export interface NodeReport {
  readonly id: string;
  readonly name: string | null;
  readonly address: string | null;
  readonly self: boolean;
  /** `found`: announced in the local network, and never pulled from unless a person accepts it. */
  readonly state: 'self' | 'configured' | 'found';
  /** Null where no pull was tried yet. */
  readonly reachable: boolean | null;
}

export function nodesReport({
  config,
  loops,
  listen,
  found = [],
  foundAt,
}: Pick<StatusParts, 'config' | 'loops' | 'listen' | 'found' | 'foundAt'>): NodesReport {
  const self: NodeReport = {
    id: config.node.id,
    name: config.node.name,
    address: listen,
    self: true,
    state: 'self',
    reachable: true,
  };
  const peers = config.peers.map(({ name, address: configured }): NodeReport => {
    const address = foundAt?.get(name) ?? configured;
    const state = loops.get(name)?.state;
    const tried = state !== undefined && (state.lost || state.lastSuccessMs !== null);
    const reachable = tried ? !state.lost : null;
    return { id: name, name: null, address, self: false, state: 'configured', reachable };
  });
  const strangers = found
    .filter(({ state }) => state === 'found')
    .map(({ node, addresses: [address = null], state }): NodeReport => ({
      id: node,
      name: null,
      address,
      self: false,
      state,
      reachable: null,
    }));
  return { nodes: [self, ...peers, ...strangers] };
}

/** Puts together what the database and the running loops know. */
export function statusReport(parts: StatusParts): StatusReport {
  const { config, local, disk } = parts;
  return {
    node: config.node.id,
    name: config.node.name,
    version: parts.version,
    epoch: local.epoch,
    running: parts.running,
    listen: parts.listen,
    time_ms: parts.nowMs,
    tables: config.tables.map((table) => table.name),
    head: local.head,
    unfolded: local.unfolded,
    quarantined: local.quarantined,
    conflicts: local.conflicts,
    backfill_needed: local.backfillNeeded,
    dangling_references: parts.dangling,
    database_bytes: local.databaseBytes,
    wal_bytes: local.walBytes,
    disk_free_bytes: disk.freeBytes,
    disk_low: disk.low,
    ntp: parts.ntp,
    backup: parts.backup,
    peers: peerReports(parts),
    prune_up_to: local.prune.upTo,
    members: memberReports(local.prune, [
      ...config.peers.map(({ name }) => name),
      ...local.peers.map(({ name }) => name),
    ]),
    found: parts.found ?? [],
  };
}

/** The configured peers in their order, then those that are known only because they pull from us. */
function peerReports(parts: StatusParts): PeerReport[] {
  const { config, local, foundAt } = parts;
  const configured = config.peers.map(({ name, address, direction = 'pull' }) =>
    peerReport({ name, address, direction, found_at: foundAtOther(foundAt?.get(name), address) }, parts),
  );
  const names = new Set(config.peers.map((peer) => peer.name));
  const others = local.peers
    .filter((peer) => !names.has(peer.name))
    .map(({ name }) => peerReport({ name, address: null, direction: null, found_at: null }, parts));
  return [...configured, ...others];
}

function foundAtOther(foundAt: string | undefined, configured: string | null): string | null {
  return foundAt === undefined || foundAt === configured ? null : foundAt;
}

function peerReport(
  known: Pick<PeerReport, 'name' | 'address' | 'direction' | 'found_at'>,
  { local, loops, offers, offered }: StatusParts,
): PeerReport {
  const { name } = known;
  const stored = local.peers.find((peer) => peer.name === name);
  const loop = loops.get(name);
  const offer = offers?.get(name);
  const behind = Math.max(0, local.head - (stored?.acknowledged ?? 0));
  return {
    ...known,
    cursor: stored?.cursor ?? '',
    behind: stored?.behind ?? null,
    last_applied_ms: stored?.lastAppliedMs ?? null,
    acknowledged: stored?.acknowledged ?? null,
    acknowledged_ms: stored?.acknowledgedMs ?? null,
    pull: loop === undefined ? null : pullReport(loop.state),
    offer: offer === undefined ? null : offerReport(offer.state, behind),
    offered: offeredReport(offered?.get(name)),
  };
}

function pullReport(state: PeerLoop['state']): PullReport {
  return {
    phase: state.phase,
    lost: state.lost,
    failing: state.failing,
    live: state.live,
    breaker: state.breaker,
    last_attempt_ms: state.lastAttemptMs,
    last_success_ms: state.lastSuccessMs,
    last_error: errorReport(state.lastError),
    skew_ms: state.skewMs,
  };
}

function offerReport(state: OfferLoop['state'], behind: number): OfferReport {
  return {
    phase: state.phase,
    failing: state.failing,
    behind,
    last_attempt_ms: state.lastAttemptMs,
    last_success_ms: state.lastSuccessMs,
    last_error: errorReport(state.lastError),
  };
}

function offeredReport(offered: Offered | undefined): OfferedReport | null {
  if (offered === undefined) return null;
  const { lastSuccessMs, lastError, skewMs } = offered;
  return { last_success_ms: lastSuccessMs, last_error: errorReport(lastError), skew_ms: skewMs };
}

function errorReport(failure: PullFailure | null): ErrorReport | null {
  if (failure === null) return null;
  const { code, message, hint, atMs } = failure;
  return { code, message, hint, at_ms: atMs };
}
