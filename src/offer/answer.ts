import { z } from 'zod';
import { SyncError } from '../errors.js';
import { answerError } from '../pull/answer-error.js';
import { shortJson, type HttpAnswer, type HttpTarget } from '../pull/request.js';

/** Characters of a peer's own words that are shown. */
const MAX_QUOTED_LENGTH = 300;

const errorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** What the peer asks us to go on from, by the code of its answer. */
const GO_ON: ReadonlySet<string> = new Set(['cursor_moved', 'instance_renewed', 'rows_missing']);

/** What an answer to an offer that is no success becomes here. */
export function offerError(answer: HttpAnswer, target: HttpTarget): SyncError {
  const told = errorBody.safeParse(shortJson(answer)).data?.error;
  const at = `${target.name} (${target.address})`;
  const said = told === undefined ? '' : `: ${told.message.slice(0, MAX_QUOTED_LENGTH)}`;
  const code = told?.code ?? '';
  if (GO_ON.has(code)) {
    return new SyncError(code, `${at} did not apply the page${said}`, {
      hint: 'It is offered once more by itself, as the peer asks.',
    });
  }
  switch (code) {
    case 'not_a_peer':
      return new SyncError('offer_refused', `${at} takes no changes from us${said}`, {
        hint: 'Name this replica under peers: in the configuration of the peer; its address may be left out there.',
      });
    case 'page_damaged':
      return new SyncError('page_damaged', `${at} could not read the page${said}`, {
        hint: 'It is offered again; if it stays so, something on the way changes requests.',
      });
    case 'clock_skew':
      return new SyncError(
        'clock_skew',
        `${at} takes no changes by a clock that differs from its own${said}`,
        {
          hint: 'Newer would win over older wrongly: set both clocks by NTP (timedatectl set-ntp true), or raise clock.abort_skew.',
        },
      );
    case 'low_disk':
      return new SyncError('peer_low_disk', `${at} has no room for our changes${said}`, {
        hint: 'Make room on the disk of that machine; they are offered again by themselves.',
      });
  }
  if (answer.status === 404 || answer.status === 413) {
    return new SyncError('offer_refused', `${at} takes no offers (HTTP ${answer.status})${said}`, {
      hint: 'Install the same version of sqlite-p2p-sync on both.',
    });
  }
  return answerError(answer, target);
}
