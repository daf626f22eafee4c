import type { Config, PeerConfig } from '../config/config.js';
import { parsePeerAddress } from '../config/addresses.js';
import { isReachable, noAddress, requireReachable } from '../config/peers.js';
import type { Logger } from '../log/logger.js';
import { createOfferClient } from '../offer/client.js';
import { startOfferLoop, type OfferLoop } from '../offer/loop.js';
import type { OfferParts } from '../offer/offer.js';
import { createOfferRecord } from '../offer/record.js';
import { tracedOfferClient } from '../offer/traced-client.js';
import { createAttempts, type Attempts } from '../pull/attempts.js';
import { createPeerClient } from '../pull/client.js';
import { createLive } from '../pull/live.js';
import { startLoop, type PeerLoop } from '../pull/loop.js';
import type { PullParts } from '../pull/pull.js';
import { meteredRecord, type PullMeter } from '../pull/metered-record.js';
import type { HttpConnection } from '../pull/request.js';
import { openRoaming, type PeerFinder } from '../pull/roaming.js';
import { tracedClient } from '../pull/traced-client.js';
import type { TlsSource } from '../tls/client.js';
import type { Turns } from '../pull/turns.js';
import { createRecord, type PullListener } from '../pull/state.js';
import type { ReaderCalls } from '../threads/calls.js';
import { UNTRACED, type Tracer } from '../tracing/tracer.js';

export interface PullDependencies {
  readonly config: Config;
  readonly reader: PullParts['reader'];
  readonly writer: PullParts['writer'];
  readonly admit: () => Promise<void>;
  readonly turns: Turns;
  /** What peers at `https://` addresses are shown and must show; null: as Node has it. */
  readonly tls: TlsSource | null;
  /** Default: nothing is traced. */
  readonly tracer?: Tracer;
  /** Default: nobody is told how pulls end. */
  readonly meter?: PullMeter;
  /** How far the clocks of peers are ahead of ours in ms, by node id, where that is known; default: nowhere. */
  readonly skewsMs?: () => Readonly<Record<string, number>>;
  /** Absent or null: peers are only where they are configured. */
  readonly finder?: PeerFinder | null;
  /** ms since 1970. */
  readonly now: () => number;
}

/** Everything that one pull from a configured peer needs; the client is the caller's to close. */
export function pullParts(peer: PeerConfig, parts: PullDependencies): Omit<PullParts, 'onSkew' | 'onPage'> {
  const { config, tracer = UNTRACED, skewsMs = () => ({}) } = parts;
  const connection = connectionTo(peer, parts);
  const client = createPeerClient(connection, config.node.id, parts.now, config.network.compression);
  return {
    peer: peer.name,
    client: tracedClient(client, peer.name, tracer),
    attempts: createAttempts(peer.name, config.network),
    reader: parts.reader,
    writer: parts.writer,
    pageSize: config.sync.pageSize,
    clock: config.clock,
    turns: parts.turns,
    tracer,
    skewsMs,
    admit: parts.admit,
    now: parts.now,
  };
}

type ConnectionParts = Pick<PullDependencies, 'config' | 'tls' | 'tracer' | 'finder'>;

/** Throws `no_address`. */
function connectionTo(
  peer: PeerConfig,
  { config, tls, finder = null, tracer = UNTRACED }: ConnectionParts,
): HttpConnection {
  requireReachable(peer, config);
  const target = {
    name: peer.name,
    address: peer.address,
    apiKey: config.security.apiKeys[0] ?? null,
    headers: () => tracer.headers(),
    connectTimeoutMs: config.network.connectTimeoutMs,
    requestTimeoutMs: config.network.requestTimeoutMs,
    tls,
  };
  return openRoaming(target, finder);
}

/** What offers need besides. */
export interface OfferDependencies {
  readonly reader: Pick<ReaderCalls, 'identity'>;
  /** Reads a page as the feed answers it. */
  readonly page: OfferParts['page'];
  /** Told how many changes a page had that a peer took; default: nobody is. */
  readonly served?: (changes: number) => void;
}

/** Everything that one offer to a configured peer needs; the client is the caller's to close. */
export function offerParts(
  peer: PeerConfig,
  parts: ConnectionParts & Pick<PullDependencies, 'now'> & OfferDependencies,
  attempts: Attempts,
): Omit<OfferParts, 'onSkew'> {
  const { config, now, reader, page, tracer = UNTRACED, served = () => undefined } = parts;
  const { compression } = config.network;
  const client = createOfferClient(connectionTo(peer, parts), reader, now, compression);
  return {
    peer: peer.name,
    client: tracedOfferClient(client, peer.name, tracer),
    attempts,
    tables: config.tables.map(({ name }) => name),
    clock: config.clock,
    tracer,
    page,
    onTaken: served,
    now,
  };
}

/** The loops of all configured peers that can be reached. */
export interface Pulls {
  readonly loops: ReadonlyMap<string, PeerLoop>;
  /** Those that offer, by the peer's name. */
  readonly offers: ReadonlyMap<string, OfferLoop>;
  /** Offers now to each peer that is fed over our own connections and not lost: there is something new. */
  offer(): void;
  /** The peer's name; null where none has this name or address. Throws `no_address` where it can't be reached. */
  trigger(peer: string, full: boolean): string | null;
  triggerAll(): string[];
  /** Begins to pull from one more peer. */
  add(peer: PeerConfig): void;
  /** The peer was found somewhere: one that could not be pulled from is tried there. */
  found(peer: string): void;
  /** The schedule's turn. */
  tick(): void;
  stop(): Promise<void>;
}

export function startPulls(
  parts: PullDependencies & OfferDependencies & { logger: Logger; listener: PullListener },
): Pulls {
  const { config, logger, listener, now } = parts;
  const clients: { close(): Promise<void> }[] = [];
  const loops = new Map<string, PeerLoop>();
  const offers = new Map<string, OfferLoop>();
  const begin = (peer: PeerConfig): void => {
    if (!isReachable(peer, config)) return;
    const pull = pullParts(peer, parts);
    clients.push(pull.client);
    const kept = createRecord({ peer: peer.name, clock: config.clock, logger, listener, now });
    const record = parts.meter === undefined ? kept : meteredRecord(kept, peer.name, parts.meter);
    const intervalMs = config.sync.schedule === null ? config.sync.intervalMs : null;
    const { reconnectIntervalMs } = config.network;
    const afterPull = () => offers.get(peer.name)?.offer();
    if (peer.direction === 'both') {
      const offer = { ...offerParts(peer, parts, pull.attempts), onSkew: record.skew };
      clients.push(offer.client);
      offers.set(peer.name, startOfferLoop({ offer, record: createOfferRecord(peer.name, logger, now) }));
    }
    const live = config.sync.live ? createLive({ ...pull, logger }) : null;
    loops.set(peer.name, startLoop({ pull, record, intervalMs, reconnectIntervalMs, live, afterPull }));
  };
  const peers = [...config.peers];
  for (const peer of peers) begin(peer);
  return {
    loops,
    offers,
    offer() {
      for (const [name, loop] of offers) if (loops.get(name)?.state.lost === false) loop.offer();
    },
    trigger(name, full) {
      const address = parsePeerAddress(name);
      const peer = peers.find((known) => known.name === name || isAt(known, address));
      if (peer === undefined) return null;
      if (!isReachable(peer, config)) throw noAddress(peer.name);
      loops.get(peer.name)?.trigger(full);
      return peer.name;
    },
    triggerAll() {
      for (const loop of loops.values()) loop.trigger(false);
      return [...loops.keys()];
    },
    add(peer) {
      peers.push(peer);
      begin(peer);
    },
    found(name) {
      const loop = loops.get(name);
      if (loop?.state.lost === true || loop?.state.failing === true) loop.tick();
    },
    tick() {
      for (const loop of loops.values()) loop.tick();
    },
    async stop() {
      await Promise.all([...loops.values(), ...offers.values()].map((loop) => loop.stop()));
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

function isAt({ address }: PeerConfig, asked: string | null): boolean {
  return address !== null && address === asked;
}
