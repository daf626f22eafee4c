import { hostname } from 'node:os';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { parseListen, parsePeerAddress } from '../config/addresses.js';
import type { PeerConfig } from '../config/config.js';
import { NODE_ID_RULE } from '../config/schema.js';
import { SyncError } from '../errors.js';
import { nodeIdFrom } from './node-id.js';
import { NODE_ID } from '../wire/instance.js';

const DEFAULT_LISTEN = '127.0.0.1:8091';

/** `--node`, or this machine's name made into a node id. Throws with exit code 2. */
export function nodeIdAnswer(option: string | undefined): string {
  if (option === undefined) return nodeIdFrom(hostname());
  if (NODE_ID.test(option)) return option;
  throw usage(`--node ${JSON.stringify(option)} is no node id`, `Expected ${NODE_ID_RULE}.`);
}

/** `--listen`, or the default. Throws with exit code 2. */
export function listenAnswer(option: string | undefined): string {
  if (option === undefined) return DEFAULT_LISTEN;
  if (parseListen(option) !== null) return option;
  throw usage(`--listen ${JSON.stringify(option)} is no address`, 'Expected HOST:PORT or [IPv6]:PORT.');
}

/** `--peer NAME=ADDRESS`, any number of them. Throws with exit code 2. */
export function peerAnswers(options: readonly string[], nodeId: string): PeerConfig[] {
  const peers = options.map(peerAnswer);
  for (const [index, peer] of peers.entries()) {
    if (peer.name === nodeId) {
      throw usage(
        `--peer ${peer.name} is this replica's own node id`,
        'Name the other replicas, or set --node.',
      );
    }
    if (peers.findIndex((each) => each.name === peer.name || each.address === peer.address) < index) {
      throw usage(`--peer ${peer.name} is given twice`, 'Every peer has one name and one address.');
    }
  }
  return peers;
}

function peerAnswer(option: string): PeerConfig {
  const at = option.indexOf('=');
  const name = option.slice(0, Math.max(at, 0));
  const address = parsePeerAddress(option.slice(at + 1));
  if (!NODE_ID.test(name) || address === null) {
    throw usage(
      `--peer ${JSON.stringify(option.replace(/\/\/[^/@\s]*@/, '//***@'))} is no peer`,
      'Expected NAME=ADDRESS, such as macbook=http://192.168.1.20:8091.',
    );
  }
  return { name, address };
}

/** A database beside or below the configuration file is named relative to it, so that the folder can be moved. */
export function databasePathAnswer(database: string, configFolder: string): string {
  const path = relative(configFolder, resolve(database));
  const climbs = path.split(/[\\/]/)[0] === '..' || isAbsolute(path);
  return climbs ? resolve(database) : `./${join(path).replaceAll('\\', '/')}`;
}

function usage(message: string, hint: string): SyncError {
  return new SyncError('usage', message, { exitCode: 2, hint });
}
