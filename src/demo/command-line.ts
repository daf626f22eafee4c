import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { packageRoot } from '../package-root.js';
import { addressOf, type Machine } from './machine.js';
import type { Processes } from './processes.js';

export const PROGRAM = join(packageRoot, 'bin', 'sqlite-p2p-sync.js');

/** What the demo sets in each configuration, as a user would with an editor: half a minute is too short for the defaults. */
const HASTE = {
  sync: { interval: '500ms' },
  network: { reconnect_interval: '500ms', max_retries: 0 },
  log: { format: 'json' },
};

/** Runs a command of ours as a user does. Returns what it printed. */
export function runCommand(processes: Processes, machine: Machine, ...args: string[]): Promise<string> {
  const [command = ''] = args;
  const name = `sqlite-p2p-sync ${command} on ${machine.name}`;
  return processes.run(name, PROGRAM, [...args, '--config', machine.config]);
}

/** Makes a replica of an application's database: init, migrate, backfill. Returns what init found. */
export async function adopt(
  processes: Processes,
  machine: Machine,
  peers: readonly Machine[],
): Promise<string> {
  const { name, database, port } = machine;
  const init = ['init', '--db', database, '--node', name, '--listen', `127.0.0.1:${port}`];
  const options = peers.flatMap((peer) => ['--peer', `${peer.name}=${addressOf(peer)}`]);
  const found = await runCommand(processes, machine, ...init, ...options);
  hurry(machine);
  await runCommand(processes, machine, 'migrate');
  await runCommand(processes, machine, 'backfill');
  return found;
}

function hurry({ config }: Machine): void {
  const document = parseDocument(readFileSync(config, 'utf8'));
  for (const [section, values] of Object.entries(HASTE)) document.set(section, document.createNode(values));
  writeFileSync(config, document.toString());
}
