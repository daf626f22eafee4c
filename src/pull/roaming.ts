import { SyncError } from '../errors.js';
import { isAnswering, isProven } from './proven.js';
import {
  openConnection,
  shortJson,
  type HttpAnswer,
  type HttpConnection,
  type HttpRequest,
  type HttpTarget,
} from './request.js';

/** Where else a peer may be. */
export interface PeerFinder {
  /** Base URLs that were announced for a node id, the newest first. Anyone can have announced them. */
  addressesOf(node: string): readonly string[];
  /** Where the peer was found last; null: nowhere yet. */
  placeOf(node: string): string | null;
  /** The peer is at another address from now on. */
  onMoved(node: string, address: string): void;
}

export interface RoamingTarget extends Omit<HttpTarget, 'address'> {
  /** The configured one; null: it has to be found. */
  readonly address: string | null;
}

/** Announced addresses that are tried in one go. */
const MAX_TRIED = 4;

/**
 * A connection that follows the peer: where its address does not answer any more, or another replica does, the
 * announced ones are tried, the newest first, until one proves to be the peer.
 */
export function openRoaming(peer: RoamingTarget, finder: PeerFinder | null): HttpConnection {
  if (finder === null && peer.address !== null) return openConnection({ ...peer, address: peer.address });
  const connections = new Map<string, HttpConnection>();
  /** Another connection to the peer may have found it. */
  const place = (): string | null => finder?.placeOf(peer.name) ?? peer.address;

  const at = (address: string): HttpConnection => {
    const known = connections.get(address);
    if (known !== undefined) return known;
    const opened = openConnection(
      address === peer.address ? { ...peer, address } : foundTarget(peer, address),
    );
    connections.set(address, opened);
    return opened;
  };

  async function elsewhere(signal: AbortSignal): Promise<string | null> {
    const { address: configured } = peer;
    const current = place();
    const announced = finder?.addressesOf(peer.name) ?? [];
    if (configured !== null && configured !== current) {
      if (await isAnswering({ ...peer, address: configured }, signal)) return configured;
    }
    const others = announced.filter((address) => address !== current && address !== configured);
    return provenAddress(peer, others, signal);
  }

  async function moveTo(address: string): Promise<void> {
    const before = place();
    finder?.onMoved(peer.name, address);
    const left = before === null ? undefined : connections.get(before);
    if (before !== null) connections.delete(before);
    await left?.close();
  }

  async function send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const asked = place();
    const first = asked === null ? notFound(peer.name) : await tried(at(asked), request, signal);
    if (!(first instanceof Error) && isFrom(peer.name, request, first)) return first;
    // Another request may have found the peer meanwhile, here and while it is looked for.
    const foundByOther = () => (place() === asked ? null : place());
    const address = foundByOther() ?? (await elsewhere(signal));
    const other = foundByOther();
    if (other !== null) return at(other).send(request, signal);
    if (address === null) {
      if (first instanceof Error) throw first;
      return first;
    }
    await moveTo(address);
    return at(address).send(request, signal);
  }

  return {
    target: {
      ...peer,
      get address() {
        return place() ?? `mdns://${peer.name}`;
      },
    },
    send,
    async close() {
      await Promise.all([...connections.values()].map((connection) => connection.close()));
    },
  };
}

/**
 * The first of these announced addresses at which the peer proves to be the one; null where it is at none. Encryption
 * is never given up: a peer that is configured by https, or by no address where we have certificates, is not looked
 * for by http.
 */
export async function provenAddress(
  peer: RoamingTarget,
  announced: readonly string[],
  signal: AbortSignal,
): Promise<string | null> {
  const encrypted = peer.address === null ? peer.tls != null : peer.address.startsWith('https:');
  const allowed = announced.filter((address) => !encrypted || address.startsWith('https:'));
  for (const address of allowed.slice(0, MAX_TRIED)) {
    if (await isProven(foundTarget(peer, address), signal)) return address;
  }
  return null;
}

/**
 * The peer at an announced address, which its certificate need not name: it names the configured host instead. Where
 * no address is configured, it may name the node id, if it is of our own authority: a public one certifies that to
 * whoever owns the name.
 */
function foundTarget(peer: RoamingTarget, address: string): HttpTarget {
  if (peer.address !== null) return { ...peer, address, alsoNamed: [new URL(peer.address).hostname] };
  const ofOurs = peer.tls?.current.ca !== undefined;
  return { ...peer, address, alsoNamed: ofOurs ? [peer.name] : [] };
}

/** The address does not answer, or whoever answers there can't show that it is the peer. */
const NOT_THERE: readonly string[] = ['peer_unreachable', 'peer_untrusted', 'tls_failed'];

/** The answer, or why the peer is not there; every other failure rejects. */
async function tried(
  connection: HttpConnection,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer | SyncError> {
  try {
    return await connection.send(request, signal);
  } catch (error) {
    if (error instanceof SyncError && NOT_THERE.includes(error.code)) return error;
    throw error;
  }
}

/** An address that was given to another machine answers, but not as the peer. */
function isFrom(name: string, request: HttpRequest, answer: HttpAnswer): boolean {
  if (request.path !== '/health') return true;
  return (shortJson(answer) as { node?: unknown } | null | undefined)?.node === name;
}

function notFound(name: string): SyncError {
  return new SyncError('peer_unreachable', `${name} has no address, and was not found in the local network`, {
    hint: 'Check that its daemon runs with network.discovery: true in the same network, or give it an address under peers:.',
  });
}
