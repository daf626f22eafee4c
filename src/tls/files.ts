import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config, TlsConfig } from '../config/config.js';
import { configError, type Fault } from '../config/faults.js';
import { messageOf } from '../errors.js';

/** What the files of `security.tls` hold, in PEM, read and checked; null where no such file is named. */
export interface TlsFiles {
  /** This replica's certificate, and the intermediate ones after it. */
  readonly cert: Buffer | null;
  readonly key: Buffer | null;
  /** The authorities that are trusted; null: those of Node. */
  readonly ca: Buffer | null;
  /** ms since 1970; null without a certificate. */
  readonly validUntilMs: number | null;
  /** Of the certificate, as `X509Certificate.fingerprint256` has it. */
  readonly fingerprint: string | null;
}

/** What is needed of a configuration. */
export interface TlsSettings {
  /** Named where something is wrong. */
  readonly file: string;
  readonly security: Pick<Config['security'], 'tls'>;
}

type Member = 'cert' | 'key' | 'ca';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const HINT =
  'docs/security.md shows how certificates are made and renewed; paths are relative to the configuration file.';

/**
 * Reads the files of `security.tls`; null where there is no such section. Throws, with exit code 2 and every fault
 * with its path, `tls_expired` where the certificate has ended, and `tls_invalid` for what else can't be used.
 */
export function readTlsFiles({ file, security }: TlsSettings, nowMs: number): TlsFiles | null {
  const { tls } = security;
  if (tls === null) return null;
  const faults: Fault[] = [];
  const note = (member: Member, message: string, code = 'tls_invalid'): void => {
    faults.push({ path: ['security', 'tls', member], message, code, hint: HINT });
  };
  const cert = contentOf(tls, 'cert', note);
  const key = contentOf(tls, 'key', note);
  const ca = contentOf(tls, 'ca', note);
  const leaf = cert === null ? null : leafOf(cert, tls.certFile, note);
  const privateKey = key === null ? null : privateKeyOf(key, tls.keyFile, note);
  if (leaf !== null) checkTime(leaf, tls.certFile, nowMs, note);
  if (leaf !== null && privateKey !== null && !leaf.checkPrivateKey(privateKey)) {
    note('key', `${tls.keyFile} is not the key of the certificate in ${tls.certFile}`);
  }
  if (ca !== null) checkAuthorities(ca, tls.caFile, nowMs, note);
  if (faults.length > 0) throw configError(file, faults);
  return {
    cert,
    key,
    ca,
    validUntilMs: leaf === null ? null : Date.parse(leaf.validTo),
    fingerprint: leaf?.fingerprint256 ?? null,
  };
}

type Note = (member: Member, message: string, code?: string) => void;

function contentOf(tls: TlsConfig, member: Member, note: Note): Buffer | null {
  const file = { cert: tls.certFile, key: tls.keyFile, ca: tls.caFile }[member];
  if (file === null) return null;
  try {
    return readFileSync(file);
  } catch (error) {
    note(member, `${file} can't be read: ${messageOf(error)}`);
    return null;
  }
}

function leafOf(pem: Buffer, file: string | null, note: Note): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    note('cert', `${file} holds no certificate in PEM`);
    return null;
  }
}

function privateKeyOf(pem: Buffer, file: string | null, note: Note): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's words for it tell nothing that helps, and nothing of the key is to be told.
    const encrypted = pem.includes('ENCRYPTED');
    note(
      'key',
      `${file} holds ${encrypted ? 'a key with a passphrase, which nobody could enter' : 'no private key in PEM'}`,
    );
    return null;
  }
}

function checkTime(leaf: X509Certificate, file: string | null, nowMs: number, note: Note): void {
  if (Date.parse(leaf.validTo) <= nowMs) {
    note('cert', `the certificate in ${file} has expired: it was valid until ${leaf.validTo}`, 'tls_expired');
  }
  if (Date.parse(leaf.validFrom) > nowMs) {
    note('cert', `the certificate in ${file} is not valid before ${leaf.validFrom}; is this clock right?`);
  }
}

/** A bundle may hold an authority that has ended beside the one that follows it. */
function checkAuthorities(pem: Buffer, file: string | null, nowMs: number, note: Note): void {
  const blocks = pem.toString('latin1').match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    note('ca', `${file} holds no certificate in PEM`);
    return;
  }
  try {
    const authorities = blocks.map((block) => new X509Certificate(block));
    if (authorities.some(({ validTo }) => Date.parse(validTo) > nowMs)) return;
    note('ca', `every authority in ${file} has expired`, 'tls_expired');
  } catch {
    note('ca', `${file} holds a certificate that can't be read`);
  }
}
