import { formatCursor, parseCursor, type Cursor } from '../wire/cursor.js';
import type { Claim } from '../wire/members.js';

/** What is known here of the log that a file is of. */
export interface Known {
  /** The stored cursor of it; empty: none. */
  readonly cursor: string;
  /** The file whose pages moved it last, where that counts for claims. */
  readonly imported: string | null;
  /** What this replica claims to have of that log. */
  readonly claim: Claim;
}

/** Which part of a log a file holds. */
export interface Held {
  readonly epoch: string;
  /** Null: from the start. */
  readonly since: Cursor | null;
  readonly end: Cursor;
  readonly sha256: string;
}

export type ImportPlan =
  /** Everything in it was read before. */
  | { readonly kind: 'known' }
  /** It begins after what is known; `from`: the cursor that it would have to begin at, empty for the start. */
  | { readonly kind: 'gap'; readonly from: string }
  | {
      readonly kind: 'apply';
      /** Pages that end before this log id are known, and so is one that ends there, but for the last. */
      readonly knownTo: number;
      /** Where the cursor is put before; null: it stays. */
      readonly putBack: string | null;
      /** Whether the last page may show that this replica has everything that the log held when the file was made. */
      readonly claims: boolean;
    };

/**
 * What to apply of a file. Rows are never skipped: nothing is applied behind a gap. A claim takes more: what the log held
 * before the cursor must not have been read later than the file was made, or a version that was replaced between would
 * be counted as had. That is certain where the cursor stands at a claim (the head of the log then, so a file that
 * goes further is younger), where all comes from this file, and nowhere else; so the cursor is put back to the claim, if
 * the file reaches back that far.
 */
export function planImport(file: Held, known: Known): ImportPlan {
  const cursor = parseCursor(known.cursor);
  const since = file.since?.logId ?? 0;
  if (cursor?.epoch !== file.epoch) {
    if (file.since !== null) return { kind: 'gap', from: '' };
    return { kind: 'apply', knownTo: 0, putBack: known.cursor === '' ? null : '', claims: true };
  }
  const at = cursor.logId;
  const claimed = known.claim.log_id;
  if (file.end.logId < at) return { kind: 'known' };
  const goOn = { kind: 'apply', knownTo: at, putBack: null } as const;
  if (known.imported === file.sha256) return { ...goOn, claims: true };
  const claimCursor =
    claimed === 0 ? '' : formatCursor({ epoch: file.epoch, logId: claimed, mark: known.claim.mark });
  const isCertain = claimed >= at;
  if (since > at) return { kind: 'gap', from: isCertain ? known.cursor : claimCursor };
  if (isCertain) return { ...goOn, claims: true };
  if (since > claimed) return { ...goOn, claims: false };
  return { kind: 'apply', knownTo: claimed, putBack: claimCursor, claims: true };
}
