import { isLoopback } from './addresses.js';
import type { Fault } from './faults.js';
import type { ConfigFile } from './schema.js';

const KEYGEN_HINT =
  'Set the one of your replicas here, too; the first time, make it with sqlite-p2p-sync keygen, and set it on all of them.';

interface KeySections {
  readonly node?: ConfigFile['node'];
  readonly security?: Pick<ConfigFile['security'], 'api_key_env' | 'min_key_length'>;
}

/** Splits the variable's value; blanks around a key and empty places do not count. */
export function splitKeys(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '');
}

/**
 * What is wrong with the keys: says which one, by its place, and never what it is. Without sound `node` and
 * `security` sections nothing can be said.
 */
export function keyFaults(keys: readonly string[], { node, security }: KeySections): Fault[] {
  if (node === undefined || security === undefined) return [];
  const { api_key_env: variable, min_key_length: minLength } = security;
  if (keys.length > 0) return keys.flatMap((_, index) => faultOfKey(keys, index, variable, minLength));
  if (isLoopback(node.listen.host)) return [];
  return [
    {
      path: ['node', 'listen'],
      message: `${node.listen.host} can be reached by other machines, which needs a key in the environment variable ${variable}`,
      code: 'key_missing',
      hint: KEYGEN_HINT,
    },
  ];
}

function faultOfKey(keys: readonly string[], index: number, variable: string, minLength: number): Fault[] {
  const key = keys[index] ?? '';
  const which =
    keys.length === 1 ? `the key in ${variable}` : `key ${index + 1} of ${keys.length} in ${variable}`;
  const path = ['security', 'api_key_env'];
  if (key.length < minLength) {
    const message = `${which} is too short: ${key.length} characters, where min_key_length is ${minLength}`;
    return [{ path, message, code: 'key_too_short', hint: KEYGEN_HINT }];
  }
  if (/^[\x21-\x7e]+$/.test(key)) return [];
  const message = `${which} holds a character that an HTTP header can't carry`;
  return [{ path, message, code: 'key_invalid', hint: KEYGEN_HINT }];
}
