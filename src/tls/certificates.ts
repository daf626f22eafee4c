import { statSync } from 'node:fs';
import type { Config } from '../config/config.js';
import type { Logger } from '../log/logger.js';
import { clientTls, type ClientTls, type TlsSource } from './client.js';
import { readTlsFiles, type TlsFiles } from './files.js';

/** How often it is looked whether a file has changed. */
const LOOK_INTERVAL_MS = 5_000;
/** A certificate that ends sooner is warned of, once a day. */
export const SOON_MS = 14 * 24 * 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The certificate files of a daemon, read again when they change. */
export interface Certificates extends TlsSource {
  readonly files: TlsFiles;
  /** Looks every few seconds until the signal is aborted; `onChange` gets what was read anew. */
  watch(onChange: (files: TlsFiles) => void, signal: AbortSignal): void;
  /** Looks once; whether something else is in use now. */
  look(onChange: (files: TlsFiles) => void): boolean;
}

/** Reads the files; null where none are configured. Throws as `readTlsFiles`. */
export function openCertificates(
  config: Config,
  logger: Logger,
  now: () => number = Date.now,
): Certificates | null {
  const read = readTlsFiles(config, now());
  if (read === null) return null;
  let files: TlsFiles = read;
  let current: ClientTls = clientTls(files);
  let seen = stateOf(config);
  /** The state that could not be used, and how often it was seen. */
  let refused = { state: '', times: 0 };
  let warnedMs = -Infinity;

  function warnOfEnd(): void {
    const leftMs = (files.validUntilMs ?? Infinity) - now();
    if (leftMs > SOON_MS || now() - warnedMs < DAY_MS) return;
    warnedMs = now();
    const days = Math.max(0, Math.floor(leftMs / DAY_MS));
    logger.warn('the certificate ends soon', { days, hint: 'docs/security.md shows how to renew it.' });
  }

  /** Certificate and key are replaced one after the other: it is a fault only where it lasts, and told once. */
  function tellFault(state: string, error: unknown): void {
    refused = { state, times: refused.state === state ? refused.times + 1 : 1 };
    if (refused.times !== 2) return;
    logger.error('changed certificates can not be used: the former ones stay in use', { error });
  }

  function look(onChange: (files: TlsFiles) => void): boolean {
    warnOfEnd();
    const state = stateOf(config);
    if (state === seen) return false;
    try {
      const changed = readTlsFiles(config, now());
      if (changed === null) return false;
      onChange(changed);
      files = changed;
    } catch (error) {
      tellFault(state, error);
      return false;
    }
    current = clientTls(files);
    seen = state;
    warnedMs = -Infinity;
    const { validUntilMs } = files;
    logger.info('certificates were read again', {
      ...(validUntilMs === null ? {} : { validUntil: new Date(validUntilMs).toISOString() }),
    });
    return true;
  }

  return {
    get files() {
      return files;
    },
    get current() {
      return current;
    },
    look,
    watch(onChange, signal) {
      warnOfEnd();
      const timer = setInterval(() => look(onChange), LOOK_INTERVAL_MS);
      signal.addEventListener('abort', () => {
        clearInterval(timer);
      });
    },
  };
}

/** Changes whenever a file is written or replaced, also through a symbolic link. */
function stateOf({ security: { tls } }: Config): string {
  const paths = [tls?.certFile, tls?.keyFile, tls?.caFile].filter((path) => typeof path === 'string');
  return paths
    .map((path) => statSync(path, { throwIfNoEntry: false, bigint: true }))
    .map((stats) => (stats === undefined ? '-' : `${stats.ino}.${stats.size}.${stats.mtimeNs}`))
    .join(' ');
}
