import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a proof is made of (docs/protocol.md). Host and port are those that the one who asks has connected to. */
export interface ProofSubject {
  /** 64 hex digits, drawn by the one who asks. */
  readonly challenge: string;
  /** Node id of the one who answers. */
  readonly node: string;
  /** An IP address. */
  readonly host: string;
  readonly port: number;
}

export const CHALLENGE = /^[0-9a-f]{64}$/;

/**
 * Shows that one knows a key without telling it. Host and port are in it so that nobody in between can have another
 * replica answer in its place. Lower-case hex SHA-256.
 */
export function keyProof(key: string, { challenge, node, host, port }: ProofSubject): string {
  const plainHost = host.replace(/^::ffff:/i, '');
  const text = JSON.stringify(['sqlite-p2p-sync key proof', challenge, node, plainHost, port]);
  return createHmac('sha256', key).update(text).digest('hex');
}

export function isProof(proof: unknown, key: string, subject: ProofSubject): boolean {
  const expected = Buffer.from(keyProof(key, subject));
  const given = Buffer.from(typeof proof === 'string' ? proof : '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
