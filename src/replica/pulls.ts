import type { Config, PeerConfig } from '../config/config.js';
import { parsePeerAddress } from '../config/addresses.js';
import type { Logger } from '../log/logger.js';
import { createAttempts } from '../pull/attempts.js';
import { createPeerClient } from '../pull/client.js';
import { startLoop, type PeerLoop } from '../pull/loop.js';
import type { PullParts } from '../pull/pull.js';
import { openRoaming, type PeerFinder } from '../pull/roaming.js';
import type { Turns } from '../pull/turns.js';
import { createRecord, type PullListener } from '../pull/state.js';

export interface PullDependencies {
  readonly config: Config;
  readonly reader: PullParts['reader'];
  readonly writer: PullParts['writer'];
  readonly admit: () => Promise<void>;
  readonly turns: Turns;
  /** Absent or null: peers are only where they are configured. */
  readonly finder?: PeerFinder | null;
  /** ms since 1970. */
  readonly now: () => number;
}

/** Everything that one pull from a configured peer needs; the client is the caller's to close. */
export function pullParts(peer: PeerConfig, parts: PullDependencies): Omit<PullParts, 'onSkew' | 'onPage'> {
  const { config } = parts;
  const target = {
    name: peer.name,
    address: peer.address,
    apiKey: config.security.apiKeys[0] ?? null,
    connectTimeoutMs: config.network.connectTimeoutMs,
    requestTimeoutMs: config.network.requestTimeoutMs,
  };
  const connection = openRoaming(target, parts.finder ?? null);
  return {
    peer: peer.name,
    client: createPeerClient(connection, config.node.id, parts.now, config.network.compression),
    attempts: createAttempts(peer.name, config.network),
    reader: parts.reader,
    writer: parts.writer,
    pageSize: config.sync.pageSize,
    clock: config.clock,
    turns: parts.turns,
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
  /** Begins to pull from one more peer. */
  add(peer: PeerConfig): void;
  /** The peer was found somewhere: one that could not be pulled from is tried there. */
  found(peer: string): void;
  /** The schedule's turn. */
  tick(): void;
  stop(): Promise<void>;
}

export function startPulls(parts: PullDependencies & { logger: Logger; listener: PullListener }): Pulls {
  const { config, logger, listener, now } = parts;
  const clients: { close(): Promise<void> }[] = [];
  const loops = new Map<string, PeerLoop>();
  const begin = (peer: PeerConfig): void => {
    const pull = pullParts(peer, parts);
    clients.push(pull.client);
    const record = createRecord({ peer: peer.name, clock: config.clock, logger, listener, now });
    const intervalMs = config.sync.schedule === null ? config.sync.intervalMs : null;
    const { reconnectIntervalMs } = config.network;
    loops.set(peer.name, startLoop({ pull, record, intervalMs, reconnectIntervalMs }));
  };
  const peers = [...config.peers];
  for (const peer of peers) begin(peer);
  return {
    loops,
    trigger(name, full) {
      const address = parsePeerAddress(name);
      const peer = peers.find(
        (known) => known.name === name || (address !== null && known.address === address),
      );
      if (peer === undefined) return null;
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
      await Promise.all([...loops.values()].map((loop) => loop.stop()));
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
