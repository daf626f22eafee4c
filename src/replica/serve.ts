import type { RequestListener } from 'node:http';
import type { Config } from '../config/config.js';
import { listen, type Listening, type ServerTls } from '../feed/listen.js';
import { createRefusals, type RefusalCounts } from '../feed/refusals.js';
import type { Logger } from '../log/logger.js';
import type { Certificates } from '../tls/certificates.js';
import type { TlsFiles } from '../tls/files.js';

interface ServeParts {
  readonly counts: RefusalCounts;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Serves at `node.listen`, over HTTPS where there is a certificate, and takes over what changes in its files. */
export async function serve(
  feed: RequestListener,
  config: Config,
  certificates: Certificates | null,
  parts: ServeParts,
): Promise<Listening> {
  const { node, security } = config;
  const ask = security.tls?.requireClientCert ?? false;
  const refusals = createRefusals(parts);
  const listening = await listen(feed, node.listen.host, node.listen.port, {
    tls: serverTls(certificates?.files ?? null, ask),
    onHandshakeFailed: (error, address) => {
      parts.logger.debug('no TLS connection came about', { address, error });
      // Who only hangs up was not refused.
      if (isTlsFault(error)) refusals.note('handshake', address);
    },
  });
  certificates?.watch((files) => {
    const tls = serverTls(files, ask);
    if (tls !== null) listening.renewTls(tls);
  }, parts.signal);
  return listening;
}

function serverTls(files: TlsFiles | null, askClient: boolean): ServerTls | null {
  if (files?.cert == null || files.key === null) return null;
  return { cert: files.cert, key: files.key, ca: files.ca, askClient };
}

function isTlsFault(error: NodeJS.ErrnoException): boolean {
  return /^ERR_(SSL|TLS)_/.test(error.code ?? '');
}
