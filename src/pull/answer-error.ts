import { z } from 'zod';
import { SyncError } from '../errors.js';
import { shortened } from '../wire/shortened.js';
import { shortJson, type HttpAnswer, type HttpTarget } from './request.js';

const errorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** What an answer that is no success becomes here. */
export function answerError(answer: HttpAnswer, { name, address }: HttpTarget): SyncError {
  const told = errorBody.safeParse(shortJson(answer)).data?.error;
  const at = `${name} (${address})`;
  const said = told === undefined ? '' : `: ${shortened(told.message)}`;
  switch (answer.status) {
    case 401:
    case 403:
      if (told?.code === 'client_certificate_refused') {
        return new SyncError('peer_refused', `${at} refused us${said}`, {
          hint: 'Set cert and key under security.tls to a certificate of the authority that the peer names as ca.',
        });
      }
      return new SyncError('peer_refused', `${at} refused us${said}`, {
        hint: 'Both replicas need a key in common: the first key here must be among those that the peer accepts.',
      });
    case 409:
      if (told?.code === 'two_owners') {
        return new SyncError('two_owners', `${at} refused us${said}`, {
          hint: 'Stop one of the two and start it with another node.id: it becomes a replica of its own, and nothing of either is lost.',
        });
      }
      return new SyncError('peer_is_self', `${at} refused us${said}`, {
        hint: 'Two replicas have one node id: give one of them another node.id.',
      });
    case 410:
      return new SyncError('cursor_invalid', `${at} does not know our cursor${said}`, {
        hint: 'The pull starts over by itself.',
      });
    case 400:
      if (told?.code === 'request_damaged') {
        return new SyncError('page_damaged', `${at} got another request than was sent${said}`, {
          hint: 'It is asked again; if it stays so, something on the way changes requests.',
        });
      }
      return new SyncError('request_refused', `${at} does not take our request${said}`, {
        hint: 'Install the same version of sqlite-p2p-sync on both.',
      });
  }
  if (answer.status >= 500 || answer.status === 429) {
    return new SyncError('peer_failed', `${at} can't answer now (HTTP ${answer.status})${said}`, {
      hint: 'It is tried again by itself; the log of that replica says why.',
    });
  }
  return new SyncError('not_a_replica', `${at} answers like no sqlite-p2p-sync (HTTP ${answer.status})`, {
    hint: 'Correct the address under peers: in the configuration; does another program listen there?',
  });
}
