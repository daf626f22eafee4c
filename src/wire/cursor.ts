/** A place in the log of an instance: `mark` is a value that it drew when its log was at least `logId` long. */
export interface Place {
  readonly logId: number;
  readonly mark: string;
}

/**
 * A place in a replica's changelog: everything up to `logId` was read. `epoch` names the instance. On the wire
 * `epoch.logId.mark`; empty: the start.
 */
export interface Cursor extends Place {
  readonly epoch: string;
}

/** Characters of a cursor; ours have 64 + 15 + 64 digits at most. */
export const MAX_CURSOR_LENGTH = 200;

const CURSOR = /^([0-9a-f]{1,64})\.(\d{1,15})\.([0-9a-f]{1,64})$/;

export function formatCursor(cursor: Cursor): string {
  return `${cursor.epoch}.${cursor.logId}.${cursor.mark}`;
}

/** Null where the text is no cursor. */
export function parseCursor(text: string): Cursor | null {
  const match = CURSOR.exec(text);
  if (match === null) return null;
  const [, epoch = '', logId = '', mark = ''] = match;
  return { epoch, logId: Number(logId), mark };
}
