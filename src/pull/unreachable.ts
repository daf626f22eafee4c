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

/** How an HTTPS server ends a connection on which plain HTTP arrives. */
const CUT: ReadonlySet<string> = new Set(['ECONNRESET', 'UND_ERR_SOCKET']);

/** What did answer, but nothing that can be read. */
const UNREADABLE: ReadonlySet<string> = new Set([
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_HEADERS_OVERFLOW',
]);

/** What is wrong with a certificate, by the code of OpenSSL or Node, and what to do. */
const UNTRUSTED: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  CERT_HAS_EXPIRED: ['has expired', 'Renew it there: docs/security.md. Is the clock of this machine right?'],
  CERT_NOT_YET_VALID: ['is not valid yet', 'Are the clocks of both machines right?'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'is for other hosts',
    'Name the peer by a host or IP address that its certificate names, or add this one to subjectAltName: docs/security.md.',
  ],
  ...Object.fromEntries(
    [
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'CERT_SIGNATURE_FAILURE',
      'CERT_UNTRUSTED',
      'CERT_REJECTED',
      'INVALID_CA',
      'INVALID_PURPOSE',
    ].map((code) => [
      code,
      [
        'is of no authority that is trusted here',
        'Set security.tls.ca to the authority that issued it.',
      ] as const,
    ]),
  ),
};

/** Where the other side speaks, but no TLS that we could agree on. */
const NO_TLS =
  /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|\w*(ALERT|UNSUPPORTED|HANDSHAKE)\w*)$/;

/** Null where the failure has nothing to do with certificates or TLS. Trying again would end alike. */
function untrusted(error: unknown, code: string, at: string): SyncError | null {
  const fault = UNTRUSTED[code];
  if (fault !== undefined) {
    const [reason, hint] = fault;
    return new SyncError('peer_untrusted', `${at} is not trusted: its certificate ${reason}`, {
      hint,
      cause: error,
    });
  }
  if (!NO_TLS.test(code)) return null;
  return new SyncError('tls_failed', `${at} and this replica do not agree on TLS: ${code}`, {
    hint: 'Does it serve plain HTTP? Then its address is http://, or its security.tls lacks cert and key.',
    cause: error,
  });
}

/**
 * What a failed request becomes: `peer_untrusted` or `tls_failed` where it is no use to try again, `peer_unreachable`, or `page_damaged` where something did answer, but no HTTP that
 * can be read. A request that was aborted rejects with the reason of its signal.
 */
export function unreachable(
  error: unknown,
  peer: { readonly name: string; readonly address: string },
  signal: AbortSignal,
): Error {
  if (signal.aborted && !isTimeout(signal.reason)) return signal.reason as Error;
  const code = codeOf(error);
  const refusal = untrusted(error, code, `${peer.name} (${peer.address})`);
  if (refusal !== null) return refusal;
  const reason = isTimeout(signal.reason)
    ? 'the answer did not end in time'
    : (REASONS[code] ?? messageOf(error));
  return error instanceof errors.HTTPParserError || UNREADABLE.has(code)
    ? new SyncError('page_damaged', `${peer.name} (${peer.address}) gave no readable answer: ${reason}`, {
        hint: 'It was discarded and will be asked for again; does another program listen at that address?',
        cause: error,
      })
    : new SyncError('peer_unreachable', `${peer.name} (${peer.address}) can't be reached: ${reason}`, {
        hint: `Check that its daemon runs, its node.listen, and the firewall${CUT.has(code) ? '; does it serve https:// by now?' : '.'}`,
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
