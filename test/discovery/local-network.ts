import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { PeerConfig } from '#src/config/config.js';
import type { StatusReport } from '#src/replica/status.js';
import { freePort } from '../pull/peer-server.js';
import { runCli, startCli, type CliResult } from '../replication/command-line.js';
import { until } from '../replication/group.js';
import type { Program } from '../replication/program.js';
import { createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';

const KEY = 'the-key-of-this-group-of-replicas-000';

export interface Machine extends DatabaseFile {
  /** Its node id, which no other run of the tests has. */
  readonly node: string;
  readonly port: number;
}

export interface MachineOptions {
  /** A peer without an address has to be found; its name alone is that of a machine here. */
  readonly peers?: readonly (string | Pick<PeerConfig, 'name' | 'direction'> | PeerConfig)[];
  /** More lines of the configuration. */
  readonly lines?: string;
}

/** Daemons that find each other by real multicast on the loopback interface. */
export class LocalNetwork {
  readonly group = randomBytes(3).toString('hex');
  readonly #machines: Machine[] = [];
  readonly #daemons: Program[] = [];

  async machine(name: string, { peers = [], lines = '' }: MachineOptions = {}): Promise<Machine> {
    const node = `${name}-${this.group}`;
    const port = await freePort();
    const file = await createDatabaseFile(node, { port });
    const named = peers.map((peer) => (typeof peer === 'string' ? { name: `${peer}-${this.group}` } : peer));
    configure(
      file,
      (text) =>
        text
          .replace('peers: []', `# who we pull from\npeers: ${JSON.stringify(named)}`)
          .replace('network:\n', 'network:\n  discovery: true\n  discovery_interface: 127.0.0.1\n') + lines,
    );
    const machine: Machine = { ...file, node, port };
    this.#machines.push(machine);
    return machine;
  }

  /** Its daemon listens at another port from its next start on. */
  move(machine: Machine, port: number): Machine {
    configure(machine, (text) => text.replace(`127.0.0.1:${machine.port}`, `127.0.0.1:${port}`));
    return { ...machine, port };
  }

  async start({ file }: DatabaseFile, key: string = KEY): Promise<Program> {
    const daemon = startCli(['start', '--config', file], { env: { SYNC_API_KEY: key } });
    this.#daemons.push(daemon);
    await daemon.line((line) => line.includes('listening'), 'line that it listens');
    return daemon;
  }

  run({ file }: DatabaseFile, ...args: string[]): Promise<CliResult> {
    return runCli([...args, '--config', file], { env: { SYNC_API_KEY: KEY } });
  }

  async statusOf(of: DatabaseFile): Promise<StatusReport> {
    return JSON.parse((await this.run(of, 'status', '--json')).stdout) as StatusReport;
  }

  async ask<T>({ port }: Machine, path: string): Promise<T> {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'x-api-key': KEY } });
    return (await answer.json()) as T;
  }

  /** Resolves when the daemon of `by` has found the other. */
  async found(by: Machine, other: Machine): Promise<void> {
    await until(
      async () => (await this.statusOf(by)).found.some(({ node }) => node === other.node),
      `${other.node} found by ${by.node}`,
    );
  }

  async end(): Promise<void> {
    await Promise.all(this.#daemons.splice(0).map((daemon) => daemon.end('SIGTERM')));
    for (const { app } of this.#machines.splice(0)) app.close();
  }
}

function configure({ file }: Pick<DatabaseFile, 'file'>, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}
