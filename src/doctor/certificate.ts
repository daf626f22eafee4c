import { statSync } from 'node:fs';
import { isLoopback } from '../config/addresses.js';
import { servesTls } from '../config/tls.js';
import { readTlsFiles } from '../tls/files.js';
import type { Check } from './check.js';
import { fine, warning, type Seen } from './finding.js';
import type { Setup } from './subjects.js';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A certificate that ends sooner should be renewed. */
const SOON_DAYS = 30;

/** Whether the files of `security.tls` can be used, and for how long; without them, whether the key travels in clear. */
export const certificateCheck: Check<Setup> = {
  name: 'certificate',
  look({ config, nowMs }) {
    const files = readTlsFiles(config, nowMs);
    if (files === null || !servesTls(config.security)) return clear(config);
    const days = Math.floor(((files.validUntilMs ?? 0) - nowMs) / DAY_MS);
    const said = `the certificate is valid for ${days} more days`;
    const seen =
      days < SOON_DAYS
        ? warning(said, 'Renew it: docs/security.md. The daemon takes it over by itself.')
        : fine(said);
    return [seen, ...readableKey(config.security.tls?.keyFile ?? null)];
  },
};

function clear({ node, security }: Setup['config']): Seen[] {
  if (security.apiKeys.length === 0 || isLoopback(node.listen.host)) return [];
  return [
    warning(
      'the feed is served over plain HTTP: the key and the rows travel in clear',
      'Set security.tls (docs/security.md), or keep to a network that is encrypted itself, such as a VPN.',
    ),
  ];
}

function readableKey(file: string | null): Seen[] {
  if (file === null || process.platform === 'win32' || (statSync(file).mode & 0o007) === 0) return [];
  return [
    warning(`every user of this machine can read the private key in ${file}`, `Run: chmod 600 ${file}`),
  ];
}
