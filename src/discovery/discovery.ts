import type { Browser } from 'bonjour-service';
import type { BlockList } from 'node:net';
import type { Logger } from '../log/logger.js';
import { createAdmission } from './admit.js';
import { createAllowance } from './allowance.js';
import { createFoundTable, type FoundTable } from './found.js';
import { ownNetworks } from './networks.js';
import { announcement, instanceName, readAnnouncement, SERVICE_TYPE, type Scheme } from './service.js';
import { GuardedSocket, MDNS_PORT } from './socket.js';

export interface Discovery extends Pick<FoundTable, 'all' | 'addressesOf'> {
  /** Says goodbye, and closes the socket. */
  stop(): Promise<void>;
}

/** What is announced of this replica. */
export interface OwnService {
  readonly node: string;
  readonly epoch: string;
  readonly port: number;
  readonly scheme: Scheme;
}

export interface DiscoveryParts {
  /** Null: nothing is announced, only searched. */
  readonly own: OwnService | null;
  /** The IPv4 address of the only interface to use; null: all. */
  readonly interfaceAddress: string | null;
  /** UDP; default: that of mDNS. */
  readonly port?: number;
  readonly logger: Logger;
  readonly isWanted: (node: string) => boolean;
  /** A replica was found, or other addresses of one. */
  onFound(node: string): void;
}

/** How often the network is asked. */
const ASK_MS = 30_000;
/** A replica that has not answered so many questions in a row is gone. */
const LIFE_MS = 3 * ASK_MS + 5000;
/** The library keeps every service that is announced: with so many it starts anew. */
const MAX_REMEMBERED = 256;
const NETWORKS_MS = 5000;
/** So many finds are told at level info in this time; whoever changes its announcement all the time is not worth more. */
const MAX_TOLD = 20;
const TOLD_MS = 60_000;

/**
 * Announces this replica by mDNS and looks for others, until `stop`. Null, with a warning, where the port can't be
 * opened: replication goes on without. The library is loaded here, and by nobody who does not use it.
 */
export async function startDiscovery(parts: DiscoveryParts): Promise<Discovery | null> {
  try {
    return await openDiscovery(parts);
  } catch (error) {
    parts.logger.warn('discovery does not work: no socket for mDNS', {
      error,
      hint: 'UDP port 5353 must be free, or shared by the other mDNS programs of this machine. Peers with an address are pulled from all the same.',
    });
    return null;
  }
}

async function openDiscovery(parts: DiscoveryParts): Promise<Discovery> {
  const { interfaceAddress, logger, own, port = MDNS_PORT } = parts;
  const { default: Bonjour } = await import('bonjour-service');
  const networks = keepNetworks(interfaceAddress);
  const admission = createAdmission(() => performance.now());
  const socket = await GuardedSocket.open(port, {
    admit: (packet, sender) => networks().check(sender) && admission(packet),
    onFault: (error) => {
      logger.debug('mDNS packet or socket failed', { error });
    },
  });
  const options = {
    socket,
    bind: false,
    port,
    ...(interfaceAddress === null ? {} : { interface: interfaceAddress }),
  };
  // What its types call options of a service goes on to the socket's layer.
  const bonjour = new Bonjour(options, (error: unknown) => {
    logger.debug('mDNS answer was not sent', { error });
  });
  try {
    socket.emit('listening');
  } catch (error) {
    await closed(bonjour);
    throw error;
  }
  if (socket.memberships === 0) logger.warn('discovery hears nothing: no interface takes multicast');

  const table = createFoundTable({ isWanted: parts.isWanted, now: Date.now, lifeMs: LIFE_MS });
  const isLoud = createAllowance(MAX_TOLD, TOLD_MS, () => performance.now());
  const name = own === null ? null : instanceName(own.node, own.epoch);
  const browse = browsing(() => bonjour.find({ type: SERVICE_TYPE }), {
    heard(service) {
      const found = readAnnouncement(service, networks());
      if (found === null) logger.debug('an mDNS announcement was left out: malformed, or from elsewhere');
      else if (!isOurs(found.instance, name) && table.put(found)) {
        const level = isLoud() ? 'info' : 'debug';
        logger.log(level, 'found a replica', { node: found.node, address: found.addresses[0] });
        parts.onFound(found.node);
      }
    },
    gone(instance) {
      table.remove(instance);
    },
  });
  if (own !== null && name !== null) {
    // A probe for the name would print on the standard output where it is taken.
    const txt = announcement(own.node, own.scheme);
    bonjour.publish({ name, type: SERVICE_TYPE, port: own.port, txt, probe: false });
  }
  return {
    all: table.all,
    addressesOf: table.addressesOf,
    async stop() {
      browse.stop();
      await new Promise<void>((resolve) => {
        bonjour.unpublishAll(resolve);
      });
      await closed(bonjour);
    },
  };
}

function closed(bonjour: { destroy(done: () => void): void }): Promise<void> {
  return new Promise((resolve) => {
    bonjour.destroy(resolve);
  });
}

/** A machine changes its networks while it runs. */
function keepNetworks(interfaceAddress: string | null): () => BlockList {
  let networks = ownNetworks(interfaceAddress);
  let readMs = performance.now();
  return () => {
    const nowMs = performance.now();
    if (nowMs - readMs >= NETWORKS_MS) {
      networks = ownNetworks(interfaceAddress);
      readMs = nowMs;
    }
    return networks;
  };
}

function isOurs(instance: string, name: string | null): boolean {
  return name !== null && instance.startsWith(`${name.toLowerCase()}._`);
}

interface Listener {
  readonly heard: (service: object) => void;
  readonly gone: (instance: string) => void;
}

/**
 * A browser tells each service once, and is silent while it stays: a new one every now and then asks again, and
 * forgets what a flood of announcements has left behind.
 */
function browsing(open: () => Browser, { heard, gone }: Listener): { stop(): void } {
  let browser = begin();
  const timer = setInterval(renew, ASK_MS).unref();

  function begin(): Browser {
    const next = open();
    const hear = (service: object) => {
      heard(service);
      if (next.services.length > MAX_REMEMBERED) next.stop();
    };
    next.on('up', hear);
    next.on('srv-update', hear);
    next.on('txt-update', hear);
    next.on('down', ({ fqdn }) => {
      gone(fqdn);
    });
    return next;
  }

  function renew(): void {
    browser.stop();
    browser = begin();
  }

  return {
    stop() {
      clearInterval(timer);
      browser.stop();
    },
  };
}
