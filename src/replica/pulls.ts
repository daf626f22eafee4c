import type { Config, PeerConfig } from '../config/config.js';
import { parsePeerAddress } from '../config/addresses.js';
import type { Logger } from '../log/logger.js';
import { createAttempts } from '../pull/attempts.js';
import { createPeerClient } from '../pull/client.js';
import { createLive } from '../pull/live.js';
import { startLoop, type PeerLoop } from '../pull/loop.js';
import type { PullParts } from '../pull/pull.js';
import { meteredRecord, type PullMeter } from '../pull/metered-record.js';
import { openConnection } from '../pull/request.js';
import { tracedClient } from '../pull/traced-client.js';
import type { TlsSource } from '../tls/client.js';
import type { Turns } from '../pull/turns.js';
import { createRecord, type PullListener } from '../pull/state.js';
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
  /** ms since 1970. */
  readonly now: () => number;
}

/** Everything that one pull from a configured peer needs; the client is the caller's to close. */
export function pullParts(peer: PeerConfig, parts: PullDependencies): Omit<PullParts, 'onSkew' | 'onPage'> {
  const { config, tracer = UNTRACED, skewsMs = () => ({}) } = parts;
  const connection = openConnection({
    name: peer.name,
    address: peer.address,
    apiKey: config.security.apiKeys[0] ?? null,
    headers: () => tracer.headers(),
    connectTimeoutMs: config.network.connectTimeoutMs,
    requestTimeoutMs: config.network.requestTimeoutMs,
    tls: parts.tls,
  });
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

/** The loops of all configured peers. */
export interface Pulls {
  readonly loops: ReadonlyMap<string, PeerLoop>;
  /** The peer's name; null where none has this name or address. */
  trigger(peer: string, full: boolean): string | null;
  triggerAll(): string[];
  /** The schedule's turn. */
  tick(): void;
  stop(): Promise<void>;
}

export function startPulls(parts: PullDependencies & { logger: Logger; listener: PullListener }): Pulls {
  const { config, logger, listener, now } = parts;
  const clients: { close(): Promise<void> }[] = [];
  const loops = new Map<string, PeerLoop>();
  for (const peer of config.peers) {
    const pull = pullParts(peer, parts);
    clients.push(pull.client);
    const kept = createRecord({ peer: peer.name, clock: config.clock, logger, listener, now });
    const record = parts.meter === undefined ? kept : meteredRecord(kept, peer.name, parts.meter);
    const intervalMs = config.sync.schedule === null ? config.sync.intervalMs : null;
    const { reconnectIntervalMs } = config.network;
    const live = config.sync.live ? createLive({ ...pull, logger }) : null;
    loops.set(peer.name, startLoop({ pull, record, intervalMs, reconnectIntervalMs, live }));
  }
  const all = [...loops.values()];
  return {
    loops,
    trigger(name, full) {
      const address = parsePeerAddress(name);
      const peer = config.peers.find((known) => known.name === name || known.address === address);
      if (peer === undefined) return null;
      loops.get(peer.name)?.trigger(full);
      return peer.name;
    },
    triggerAll() {
      for (const loop of all) loop.trigger(false);
      return [...loops.keys()];
    },
    tick() {
      for (const loop of all) loop.tick();
    },
    async stop() {
      await Promise.all(all.map((loop) => loop.stop()));
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
