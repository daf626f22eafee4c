/*
 * An instance is one life of one replica's database: its node id and the epoch that was drawn for it. As the origin of
 * a version, and in claims, it is written `node@epoch`.
 */

const NODE = '[A-Za-z0-9._-]{1,64}';
const EPOCH_DIGITS = '[0-9a-f]{1,64}';

/** Letters, digits, `.`, `_` and `-`. */
export const NODE_ID = new RegExp(`^${NODE}$`);
/** Hex digits. */
export const EPOCH = new RegExp(`^${EPOCH_DIGITS}$`);
/** `node@epoch`. */
export const INSTANCE = new RegExp(`^(${NODE})@(${EPOCH_DIGITS})$`);

export interface Instance {
  readonly node: string;
  readonly epoch: string;
}

export function instanceOf({ node, epoch }: Instance): string {
  return `${node}@${epoch}`;
}

/** Null where the text is no instance. */
export function parseInstance(text: string): Instance | null {
  const match = INSTANCE.exec(text);
  return match === null ? null : { node: match[1] ?? '', epoch: match[2] ?? '' };
}
