import { Gauge, type Registry } from 'prom-client';
import { PREFIX } from './names.js';

/** What the gauges show of `GET /sync/status`, whose names these are. */
export interface GaugedStatus {
  readonly node: string;
  readonly version: string;
  readonly unfolded: number;
  readonly quarantined: number;
  readonly conflicts: number;
  readonly database_bytes: number;
  readonly wal_bytes: number;
  readonly disk_free_bytes: number | null;
  readonly peers: readonly GaugedPeer[];
  /** What discovery has found. */
  readonly found: readonly { readonly node: string; readonly state: (typeof FOUND_STATES)[number] }[];
}

export interface GaugedPeer {
  readonly name: string;
  /** Null: it is not configured here. */
  readonly direction: 'pull' | 'both' | null;
  readonly behind: number | null;
  readonly pull: {
    readonly lost: boolean;
    readonly failing: boolean;
    readonly live: boolean;
    readonly breaker: (typeof BREAKER_STATES)[number];
    readonly last_success_ms: number | null;
    readonly skew_ms: number | null;
  } | null;
  /** What it offers tells its clock too. */
  readonly offered: { readonly skew_ms: number | null } | null;
}

const BREAKER_STATES = ['closed', 'half_open', 'open'] as const;
const FOUND_STATES = ['configured', 'found'] as const;

/** Makes the gauges, and the function that sets them to what `status` says: the two can't differ. */
export function createGauges(registry: Registry): (status: GaugedStatus) => void {
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge({ name: PREFIX + name, help, labelNames, registers: [registry] });

  const info = gauge('info', 'Always 1; the labels tell what runs here.', 'node', 'version');
  const unfolded = gauge('changes_unfolded', 'Changelog entries that no fold has read yet.');
  const quarantined = gauge('quarantine_changes', 'Changes that could not be applied here, and wait.');
  const conflicts = gauge('conflicts_open', 'Conflicts in the ledger that nobody has resolved.');
  const databaseBytes = gauge('database_bytes', 'Size of the database file.');
  const walBytes = gauge('wal_bytes', 'Size of the write-ahead log.');
  const diskFreeBytes = gauge('disk_free_bytes', 'Free space where the database is; absent where unknown.');
  const found = gauge(
    'discovered_replicas',
    'Node ids that announce themselves in the local network: of configured peers, and of others, which are not pulled from.',
    'state',
  );
  const ofPeer = {
    behind: gauge('peer_changes_behind', 'What the peer still had for us after the last page.', 'peer'),
    reachable: gauge(
      'peer_reachable',
      '1, or 0 while the peer is lost: its address does not answer.',
      'peer',
    ),
    failing: gauge('peer_failing', '1 while the last pull from the peer has failed, else 0.', 'peer'),
    live: gauge(
      'peer_live',
      '1 while a question is held at the peer, so that changes arrive at once.',
      'peer',
    ),
    lastSuccess: gauge('peer_last_success_timestamp_seconds', 'When a pull last succeeded.', 'peer'),
    skew: gauge('peer_clock_skew_seconds', "The peer's clock ahead of ours; negative: behind.", 'peer'),
    breaker: gauge('peer_breaker_state', '1 for the state that the breaker is in.', 'peer', 'state'),
  };

  function setPeer({ name: peer, behind, pull, offered }: GaugedPeer): void {
    const set = (gauge: Gauge<'peer'>, value: number | null) => {
      if (value !== null) gauge.set({ peer }, value);
    };
    set(ofPeer.behind, behind);
    const skewMs = pull?.skew_ms ?? offered?.skew_ms ?? null;
    set(ofPeer.skew, skewMs === null ? null : skewMs / 1000);
    if (pull === null) return;
    set(ofPeer.reachable, pull.lost ? 0 : 1);
    set(ofPeer.failing, pull.failing ? 1 : 0);
    set(ofPeer.live, pull.live ? 1 : 0);
    set(ofPeer.lastSuccess, pull.last_success_ms === null ? null : pull.last_success_ms / 1000);
    for (const state of BREAKER_STATES) ofPeer.breaker.set({ peer, state }, pull.breaker === state ? 1 : 0);
  }

  return (status) => {
    info.set({ node: status.node, version: status.version }, 1);
    unfolded.set(status.unfolded);
    quarantined.set(status.quarantined);
    conflicts.set(status.conflicts);
    databaseBytes.set(status.database_bytes);
    walBytes.set(status.wal_bytes);
    diskFreeBytes.remove();
    if (status.disk_free_bytes !== null) diskFreeBytes.set(status.disk_free_bytes);
    for (const state of FOUND_STATES) {
      const nodes = status.found.filter((each) => each.state === state).map(({ node }) => node);
      found.set({ state }, new Set(nodes).size);
    }
    for (const gauge of Object.values(ofPeer)) gauge.reset();
    // Who only pulls from us is not ours to watch, and comes and goes.
    for (const peer of status.peers) if (peer.direction !== null) setPeer(peer);
  };
}
