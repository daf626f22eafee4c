import { createAllowance } from './allowance.js';
import { SERVICE_LABEL } from './service.js';

/** Bytes of an mDNS packet at most (RFC 6762, section 17). */
const MAX_PACKET_BYTES = 9000;
/** An honest announcement has a dozen; the cost of reading a packet grows with the square of its records. */
const MAX_RECORDS = 64;
const MAX_QUESTIONS = 16;
/** Packets that concern us, per second; a busy group sends a few. */
const MAX_PACKETS_PER_S = 50;
const HEADER_BYTES = 12;

/**
 * Decides by the raw bytes whether a packet is worth reading: it must name our service, be of honest size, and not
 * come in a flood. `now` in ms; only differences count.
 */
export function createAdmission(now: () => number): (packet: Buffer) => boolean {
  const isAllowed = createAllowance(MAX_PACKETS_PER_S, 1000, now);
  return (packet) => isHonest(packet) && isAllowed();
}

function isHonest(packet: Buffer): boolean {
  if (packet.length < HEADER_BYTES || packet.length > MAX_PACKET_BYTES) return false;
  const [questions = 0, ...records] = [4, 6, 8, 10].map((at) => packet.readUInt16BE(at));
  if (questions > MAX_QUESTIONS || records.reduce((sum, count) => sum + count, 0) > MAX_RECORDS) return false;
  return packet.includes(SERVICE_LABEL);
}
