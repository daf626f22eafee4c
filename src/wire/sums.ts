/** What stands for a set of rows, whatever their order: how many they are, and sums over hashes of each, mod 2^64. */
export interface Sum {
  readonly rows: number;
  /** Of the content as it is now. */
  readonly content: bigint;
  /** Of content and version; a row without a version counts as 0. */
  readonly versions: bigint;
}

export const EMPTY_SUM: Sum = { rows: 0, content: 0n, versions: 0n };

/** Sums as they travel: 16 lower-case hex digits. */
export interface WireSum {
  readonly rows: number;
  readonly content: string;
  readonly versions: string;
}

export function addSums(a: Sum, b: Sum): Sum {
  return { rows: a.rows + b.rows, content: a.content + b.content, versions: a.versions + b.versions };
}

export function sumToWire({ rows, content, versions }: Sum): WireSum {
  return { rows, content: hex(content), versions: hex(versions) };
}

export function sumFromWire({ rows, content, versions }: WireSum): Sum {
  return { rows, content: BigInt(`0x${content}`), versions: BigInt(`0x${versions}`) };
}

function hex(sum: bigint): string {
  return BigInt.asUintN(64, sum).toString(16).padStart(16, '0');
}
