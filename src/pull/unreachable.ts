import { errors } from 'undici';
import { messageOf, SyncError } from '../errors.js';

/** What went wrong, in words, by the code of the system or of undici. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  EHOSTUNREACH: 'the host can not be reached',
  ENETUNREACH: 'the network can not be reached',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name can not be looked up now',
  ETIMEDOUT: 'no connection in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer broke off: silence',
  UND_ERR_SOCKET: 'the connection was cut',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'the answer is too large',
};

/** What did answer, but nothing that can be read. */
const UNREADABLE: ReadonlySet<string> = new Set([
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_HEADERS_OVERFLOW',
]);

/**
 * What a failed request becomes: `peer_unreachable`, or `page_damaged` where something did answer, but no HTTP that
 * can be read. A request that was aborted rejects with the reason of its signal.
 */
export function unreachable(
  error: unknown,
  peer: { readonly name: string; readonly address: string },
  signal: AbortSignal,
): Error {
  if (signal.aborted && !isTimeout(signal.reason)) return signal.reason as Error;
  const code = codeOf(error);
  const reason = isTimeout(signal.reason)
    ? 'the answer did not end in time'
    : (REASONS[code] ?? messageOf(error));
  return error instanceof errors.HTTPParserError || UNREADABLE.has(code)
    ? new SyncError('page_damaged', `${peer.name} (${peer.address}) gave no readable answer: ${reason}`, {
        hint: 'It was discarded and will be asked for again; does another program listen at that address?',
        cause: error,
      })
    : new SyncError('peer_unreachable', `${peer.name} (${peer.address}) can't be reached: ${reason}`, {
        hint: 'Check that its daemon runs, its node.listen, and the firewall.',
        cause: error,
      });
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  // Several addresses of one name that all failed: the first tells.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return '';
}
