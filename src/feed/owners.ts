import { SyncError } from '../errors.js';
import type { Logger } from '../log/logger.js';

/** An instance that was not heard of for so long is not there any more. */
const ALIVE_MS = 10 * 60 * 1000;

/** What is remembered of pullers; with more the longest unheard are forgotten. */
const MAX_NODES = 1000;
const MAX_INSTANCES = 8;

interface Heard {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * Makes the function that refuses a puller, with `two_owners`, where two databases call themselves by one node id: a
 * file that was copied and started twice. A restored or moved database has another epoch too, but the epoch that it had
 * before is not heard of again.
 */
export function ownersCheck(logger: Logger, elapsedMs: () => number = () => performance.now()) {
  const nodes = new Map<string, Map<string, Heard>>();
  const warned = new Map<string, number>();
  return ({ node, epoch }: { node: string | null; epoch: string | null }): void => {
    if (node === null || epoch === null) return;
    const nowMs = elapsedMs();
    const instances = nodes.get(node) ?? new Map<string, Heard>();
    const heard = { firstMs: instances.get(epoch)?.firstMs ?? nowMs, lastMs: nowMs };
    keepNewest(instances, epoch, heard, MAX_INSTANCES);
    keepNewest(nodes, node, instances, MAX_NODES);
    const rivals = [...instances].filter(([other, there]) => other !== epoch && isRival(heard, there, nowMs));
    if (rivals.length === 0) return;
    const message = `two databases call themselves "${node}" (epochs ${[epoch, ...rivals.map(([name]) => name)].join(', ')}): one is a copy of the other`;
    if (nowMs - (warned.get(node) ?? -Infinity) > ALIVE_MS) logger.error(message, { node });
    keepNewest(warned, node, nowMs, MAX_NODES);
    throw new SyncError('two_owners', message, {
      hint: 'Stop one of the two and start it with another node.id; both are refused until one was silent for ten minutes.',
    });
  };
}

/** Whether both were heard of in turns: neither came after the other. */
function isRival(one: Heard, other: Heard, nowMs: number): boolean {
  const alive = nowMs - other.lastMs < ALIVE_MS;
  return alive && one.firstMs < other.lastMs && other.firstMs < one.lastMs;
}

/** Maps keep the order in which keys were set. */
function keepNewest<Value>(map: Map<string, Value>, key: string, value: Value, limit: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > limit && oldest !== undefined) map.delete(oldest);
}
