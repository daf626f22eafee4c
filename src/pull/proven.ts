import { randomBytes } from 'node:crypto';
import { isLoopback } from '../config/addresses.js';
import { isProof } from '../wire/key-proof.js';
import { openConnection, shortJson, type HttpTarget } from './request.js';

/** A replica with more keys than this is not understood; it accepts two while they are changed. */
const MAX_PROOFS = 8;
/** Who takes longer to say who it is, is passed over. */
const MAX_ANSWER_MS = 5000;

/**
 * Whether the replica `target.name` answers at an address that only an announcement names, and knows our key: our
 * key is not sent to find out. Without a key only this machine itself is believed. False also where nothing answers.
 */
export async function isProven(target: HttpTarget, signal: AbortSignal): Promise<boolean> {
  const { hostname: host, port, protocol } = new URL(target.address);
  if (target.apiKey === null) return isLoopback(host) && (await answersAs(target, '', signal)) !== null;
  const challenge = randomBytes(32).toString('hex');
  const proofs = await answersAs(target, `?challenge=${challenge}`, signal);
  if (proofs === null) return false;
  const subject = {
    challenge,
    node: target.name,
    host,
    port: port === '' ? defaultPort(protocol) : Number(port),
  };
  const { apiKey } = target;
  return proofs.slice(0, MAX_PROOFS).some((proof) => isProof(proof, apiKey, subject));
}

/** Whether this replica answers at an address that a person has configured. No key is sent. */
export async function isAnswering(target: HttpTarget, signal: AbortSignal): Promise<boolean> {
  return (await answersAs(target, '', signal)) !== null;
}

function defaultPort(protocol: string): number {
  return protocol === 'https:' ? 443 : 80;
}

/** The proofs of who answers with the node id `target.name`; null where nobody does. */
async function answersAs(target: HttpTarget, query: string, signal: AbortSignal): Promise<unknown[] | null> {
  const connection = openConnection({ ...target, apiKey: null });
  try {
    const request = { method: 'GET', path: `/health${query}`, compressed: false } as const;
    const answer = await connection.send(
      request,
      AbortSignal.any([signal, AbortSignal.timeout(MAX_ANSWER_MS)]),
    );
    const health = shortJson(answer) as { node?: unknown; proofs?: unknown } | null | undefined;
    if (answer.status !== 200 || health?.node !== target.name) return null;
    return Array.isArray(health.proofs) ? (health.proofs as unknown[]) : [];
  } catch {
    // What does not answer, or no HTTP, is not the replica; the caller reports its first failure.
    signal.throwIfAborted();
    return null;
  } finally {
    await connection.close();
  }
}
