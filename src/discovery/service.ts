import type { BlockList } from 'node:net';
import { isIPv4 } from 'node:net';
import { isLoopback } from '../config/addresses.js';
import { NODE_ID } from '../wire/instance.js';
import { PROTOCOL } from '../wire/page.js';

/** `_sqlite-p2p-sync._tcp`, as mDNS libraries want it: without underscores and protocol. */
export const SERVICE_TYPE = 'sqlite-p2p-sync';

/** What a packet that concerns us contains: the type as a DNS label, after its length. */
export const SERVICE_LABEL = Buffer.from(`\u0010_${SERVICE_TYPE}`, 'latin1');

export type Scheme = 'http' | 'https';

/** One announcement, checked: every text in it is harmless on a terminal and in a URL. */
export interface FoundReplica {
  /** The node id that is claimed. Anyone in the network can claim any. */
  readonly node: string;
  /** The full name of the mDNS service. Only to tell announcements apart: never shown. */
  readonly instance: string;
  /** Base URLs without a trailing slash, the likeliest first; at least one. */
  readonly addresses: readonly string[];
  readonly protocol: number;
}

/** An announcement as the library hands it over: nothing in it is checked. */
export interface RawService {
  readonly fqdn?: unknown;
  readonly port?: unknown;
  readonly txt?: unknown;
  /** A and AAAA records. */
  readonly addresses?: unknown;
  /** Where the packet came from. */
  readonly referer?: { readonly address?: unknown } | undefined;
}

/** Addresses of one announcement that are tried. */
const MAX_ADDRESSES = 4;
/** Characters of a DNS name. */
const MAX_NAME_LENGTH = 255;
const MAX_PORT = 65_535;
/** Of an instance's first label, whose limit in DNS is 63 bytes. */
const MAX_LABEL_LENGTH = 40;

/** The TXT record: never a key, never a table's name. */
export function announcement(node: string, scheme: Scheme): Record<string, string> {
  return { node, protocol: String(PROTOCOL), scheme };
}

/** A label that two replicas hardly share, even where two groups use one node id. */
export function instanceName(node: string, epoch: string): string {
  return `${node.replace(/[._]/g, '-').slice(0, MAX_LABEL_LENGTH)}-${epoch.slice(0, 8)}`;
}

/**
 * Reads an announcement; null where anything about it is wrong. It counts only if it came from `onLink`, this
 * machine's own networks, and may name only addresses in these: nobody can point us at a host elsewhere, or from
 * elsewhere at a service of this machine.
 */
export function readAnnouncement(service: RawService, onLink: BlockList): FoundReplica | null {
  const { fqdn, port, referer } = service;
  const { node, protocol, scheme } = textsOf(service.txt);
  const sender = referer?.address;
  if (typeof fqdn !== 'string' || fqdn.length > MAX_NAME_LENGTH) return null;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > MAX_PORT) return null;
  if (typeof sender !== 'string' || !isOn(onLink, sender)) return null;
  if (node === undefined || !NODE_ID.test(node)) return null;
  if (protocol === undefined || !/^\d{1,4}$/.test(protocol)) return null;
  if (scheme !== 'http' && scheme !== 'https') return null;
  const named = Array.isArray(service.addresses) ? (service.addresses as unknown[]) : [];
  const others = named
    .filter((address) => typeof address === 'string')
    .filter((address) => isOn(onLink, address) && (isLoopback(sender) || !isLoopback(address)));
  const hosts = [...new Set([sender, ...others])].slice(0, MAX_ADDRESSES);
  const addresses = hosts.map((host) => `${scheme}://${host}:${port}`);
  return { node, instance: fqdn.toLowerCase(), addresses, protocol: Number(protocol) };
}

function isOn(network: BlockList, address: string): boolean {
  return isIPv4(address) && network.check(address, 'ipv4');
}

/** The texts of our keys; anything else is left out. */
function textsOf(txt: unknown): Partial<Record<'node' | 'protocol' | 'scheme', string>> {
  if (typeof txt !== 'object' || txt === null) return {};
  const entries = (['node', 'protocol', 'scheme'] as const).map((key) => {
    const value = Object.hasOwn(txt, key) ? (txt as Record<string, unknown>)[key] : undefined;
    return [key, typeof value === 'string' ? value : undefined] as const;
  });
  return Object.fromEntries(entries);
}
