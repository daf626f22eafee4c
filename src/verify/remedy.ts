import type { RowState } from '../wire/row-state.js';
import { compareVersions } from '../wire/version.js';

/**
 * What makes a row equal again, by the ordinary rules for versions. `take`: the peer's newer version is applied here.
 * `restore`: the row here does not hold what its version says; the peer's does, and is written back. `send`: our newer
 * version is entered again at the log's end, where the peer finds it. `renew`: our row becomes a new version with the
 * same content. `capture`: our row counts as written just now, and the fold gives it a version.
 */
export type Remedy = 'take' | 'restore' | 'send' | 'renew' | 'capture';

/** A remedy, or why there is none from here. */
export type Advice = { readonly remedy: Remedy } | { readonly why: string };

const THERE = 'it has to be repaired on the peer: run verify --repair there';

/** `peerOrigin` is the peer's present instance, which is sent nothing that it authored itself. */
export function remedyFor(here: RowState, there: RowState, peerOrigin: string): Advice {
  if (here.held) return { why: 'a change of it is in quarantine here: see sqlite-p2p-sync quarantine' };
  if (there.held) return { why: 'a change of it is in quarantine at the peer' };
  if (here.version === null) return withoutVersionHere(here, there);
  if (there.version === null) return sent(here, peerOrigin);
  const order = compareVersions(here.version, there.version);
  if (order > 0) return sent(here, peerOrigin);
  if (order < 0) return there.intact ? { remedy: 'take' } : { why: THERE };
  if (here.intact) return there.intact ? { why: THERE } : { remedy: 'renew' };
  return there.intact ? { remedy: 'restore' } : captured(here);
}

function withoutVersionHere(here: RowState, there: RowState): Advice {
  if (there.version !== null && there.intact) return { remedy: 'take' };
  return captured(here);
}

function sent(here: RowState, peerOrigin: string): Advice {
  if (!here.intact) return captured(here);
  return { remedy: here.version?.origin === peerOrigin ? 'renew' : 'send' };
}

function captured(here: RowState): Advice {
  return here.fingerprint === null ? { why: THERE } : { remedy: 'capture' };
}
