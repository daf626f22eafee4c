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
  /** The peer is asked at another address from now on. */
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
 * announced ones are tried, the newest first, until one proves to be the peer. Encryption is never given up: a peer
 * that is configured by https is not looked for by http.
 */
export function openRoaming(peer: RoamingTarget, finder: PeerFinder | null): HttpConnection {
  if (finder === null && peer.address !== null) return openConnection({ ...peer, address: peer.address });
  const connections = new Map<string, HttpConnection>();
  let current = peer.address;

  const at = (address: string): HttpConnection => {
    const known = connections.get(address);
    if (known !== undefined) return known;
    const opened = openConnection({ ...peer, address });
    connections.set(address, opened);
    return opened;
  };

  async function elsewhere(signal: AbortSignal): Promise<string | null> {
    const { address: configured } = peer;
    const announced = (finder?.addressesOf(peer.name) ?? [])
      .filter((address) => address !== current && address !== configured)
      .filter((address) => configured?.startsWith('https:') !== true || address.startsWith('https:'));
    if (configured !== null && configured !== current) {
      if (await isAnswering({ ...peer, address: configured }, signal)) return configured;
    }
    for (const address of announced.slice(0, MAX_TRIED)) {
      if (await isProven({ ...peer, address }, signal)) return address;
    }
    return null;
  }

  async function moveTo(address: string): Promise<void> {
    const before = current;
    current = address;
    finder?.onMoved(peer.name, address);
    const left = before === null ? undefined : connections.get(before);
    if (before !== null) connections.delete(before);
    await left?.close();
  }

  async function send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const asked = current;
    const first = asked === null ? notFound(peer.name) : await tried(at(asked), request, signal);
    if (!(first instanceof Error) && isFrom(peer.name, request, first)) return first;
    // Another request may have found the peer meanwhile.
    if (current !== null && current !== asked) return at(current).send(request, signal);
    const address = await elsewhere(signal);
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
        return current ?? `mdns://${peer.name}`;
      },
    },
    send,
    async close() {
      await Promise.all([...connections.values()].map((connection) => connection.close()));
    },
  };
}

/** The answer, or why the peer can't be reached; every other failure rejects. */
async function tried(
  connection: HttpConnection,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer | SyncError> {
  try {
    return await connection.send(request, signal);
  } catch (error) {
    if (error instanceof SyncError && error.code === 'peer_unreachable') return error;
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
