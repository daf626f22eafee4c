import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseListen, parsePeerAddress } from '../config/addresses.js';
import { keyFaults, splitKeys } from '../config/api-keys.js';
import type { TlsConfig } from '../config/config.js';
import { configError } from '../config/faults.js';
import { SyncError } from '../errors.js';
import { listenAnswer, nodeIdAnswer } from '../init/answers.js';
import { usage } from './actions.js';

export const DEFAULT_KEY_VARIABLE = 'SYNC_API_KEY';
const DEFAULT_MIN_KEY_LENGTH = 32;

export interface CloneOptions {
  readonly db: string;
  readonly node: string;
  readonly listen?: string;
  readonly keyEnv?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly certKey?: string;
  readonly force?: boolean;
}

/** What was asked for, checked. */
export interface Wish {
  readonly address: string;
  /** Absolute. */
  readonly database: string;
  readonly node: string;
  readonly listen: string;
  readonly keyVariable: string;
  readonly apiKey: string | null;
  /** What the peer is shown and must show, as the new replica's configuration will say it too. */
  readonly tls: TlsConfig | null;
}

/** Checks what stands on the command line and in the environment. Throws with exit code 2. */
export function wishOf(given: string, options: CloneOptions): Wish {
  const address = parsePeerAddress(given);
  if (address === null)
    throw usage(`clone: ${JSON.stringify(given)} is no address`, 'Expected http://host:port or host:port.');
  const listen = listenAnswer(options.listen);
  const keyVariable = options.keyEnv ?? DEFAULT_KEY_VARIABLE;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(keyVariable)) {
    throw usage(
      '--key-env does not name an environment variable',
      'Expected its name, such as SYNC_API_KEY, and not the key itself.',
    );
  }
  const keys = splitKeys(process.env[keyVariable]);
  requireKey(keys, listen, keyVariable);
  return {
    address,
    database: resolve(options.db),
    node: nodeIdAnswer(options.node),
    listen,
    keyVariable,
    apiKey: keys[0] ?? null,
    tls: tlsWish(options),
  };
}

function tlsWish({ ca, cert, certKey }: CloneOptions): TlsConfig | null {
  if ((cert === undefined) !== (certKey === undefined)) {
    throw usage(
      'clone: --cert and --cert-key go together',
      'Name the certificate and the file with its key.',
    );
  }
  if (ca === undefined && cert === undefined) return null;
  const absolute = (path: string | undefined) => (path === undefined ? null : resolve(path));
  return {
    certFile: absolute(cert),
    keyFile: absolute(certKey),
    caFile: absolute(ca),
    requireClientCert: false,
  };
}

/** What the configuration would be refused for in the end, before anything is fetched. */
function requireKey(keys: readonly string[], listen: string, variable: string): void {
  const address = parseListen(listen);
  if (address === null) throw new TypeError('Expected an address that was checked');
  const security = { api_key_env: variable, min_key_length: DEFAULT_MIN_KEY_LENGTH };
  const faults = keyFaults(keys, { node: { id: '', name: null, listen: address }, security });
  if (faults.length > 0) throw configError('the new configuration', faults);
}

/** Throws `database_exists` where the file is there. A WAL or a journal that is left there would be taken for the new file's. */
export function requireNew(file: string): void {
  const there = ['', '-wal', '-shm', '-journal']
    .map((suffix) => file + suffix)
    .find((path) => existsSync(path));
  if (there === undefined) return;
  throw new SyncError('database_exists', `${there} exists already`, {
    hint: 'clone makes a new database: name another file with --db FILE, or move that one away.',
  });
}
