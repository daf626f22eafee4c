import type { FoundReplica } from './service.js';

/** An announcement and when it was last heard. */
export interface Heard extends FoundReplica {
  /** ms since 1970. */
  readonly seenMs: number;
}

/** What was found, bounded whatever is announced. */
export interface FoundTable {
  /** True where it is news: another replica, or other addresses. */
  put(replica: FoundReplica): boolean;
  remove(instance: string): void;
  /** The newest first. */
  readonly all: () => readonly Heard[];
  /** Base URLs that were announced for a node id, the newest first. */
  readonly addressesOf: (node: string) => readonly string[];
}

export interface FoundParts {
  /** Whether this node id is configured: there is always room for it. */
  readonly isWanted: (node: string) => boolean;
  /** ms since 1970. */
  readonly now: () => number;
  /** How long one counts after it was last heard, ms. */
  readonly lifeMs: number;
}

/** Replicas that are not configured. */
const MAX_STRANGERS = 64;
/** Announcements of one node id: more than one claims it falsely, or is what is left of an old one. */
const MAX_PER_NODE = 4;

export function createFoundTable({ isWanted, now, lifeMs }: FoundParts): FoundTable {
  const byInstance = new Map<string, Heard>();

  function sweep(): void {
    const oldestMs = now() - lifeMs;
    for (const [instance, { seenMs }] of byInstance) if (seenMs < oldestMs) byInstance.delete(instance);
  }

  /** False where there is no room. The oldest of a node id gives way to another of the same. */
  function makeRoom({ node }: FoundReplica): boolean {
    const known = [...byInstance.values()];
    const same = known.filter((each) => each.node === node);
    const [oldest] = same;
    if (oldest !== undefined && same.length >= MAX_PER_NODE) byInstance.delete(oldest.instance);
    else if (!isWanted(node)) return known.filter((each) => !isWanted(each.node)).length < MAX_STRANGERS;
    return true;
  }

  function all(): Heard[] {
    sweep();
    return [...byInstance.values()].reverse();
  }

  return {
    put(replica) {
      sweep();
      const before = byInstance.get(replica.instance);
      byInstance.delete(replica.instance);
      if (!makeRoom(replica)) return false;
      byInstance.set(replica.instance, { ...replica, seenMs: now() });
      return before === undefined || identity(before) !== identity(replica);
    },
    remove(instance) {
      byInstance.delete(instance.toLowerCase());
    },
    all,
    addressesOf: (node) => [...new Set(all().flatMap((each) => (each.node === node ? each.addresses : [])))],
  };
}

function identity({ node, addresses }: FoundReplica): string {
  return JSON.stringify([node, addresses]);
}
