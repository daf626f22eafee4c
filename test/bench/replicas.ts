import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { StatusReport } from '#src/replica/status.js';
import { runCliWell, startCli } from '../replication/command-line.js';
import { freePorts } from '../replication/group.js';
import type { Program } from '../replication/program.js';
import { createApp, requireEqual } from './app.js';

/** A benchmark that waits longer than this for one thing has failed. */
const MAX_WAIT_MS = 20 * 60_000;

/** A daemon that is still there after this is killed. */
const MAX_END_MS = 10_000;

const POLL_MS = 50;

/** Who pulls from whom. */
export type Peers = Readonly<Record<string, readonly string[]>>;

export interface ReplicaSettings {
  /** `sync.interval`; default: nobody pulls unless asked. */
  readonly interval?: string;
  /** `sync.live`; default: not, so that only the pulls count that were asked for. */
  readonly live?: boolean;
  /** Address under which `from` reaches `to`, where something stands between the two. */
  readonly addressOf?: (from: string, to: string, port: number) => string;
  /** `network.compression`; default: as the product does between two processes of one machine. */
  readonly compression?: 'auto' | 'always';
}

interface LogLine {
  readonly message: string;
  readonly peer?: string;
  readonly applied?: number;
  readonly skipped?: number;
}

/** Real replicas in a folder: own database file, configuration and port each, prepared by the command line. */
export async function createReplicas(
  folder: string,
  peers: Peers,
  {
    interval = '1h',
    live = false,
    addressOf = (_from, _to, port) => `127.0.0.1:${port}`,
    compression = 'auto',
  }: ReplicaSettings = {},
): Promise<BenchReplica[]> {
  const names = Object.keys(peers);
  const ports = await freePorts(names.length);
  const portOf = (name: string) => ports[names.indexOf(name)] ?? 0;
  const replicas: BenchReplica[] = [];
  for (const name of names) {
    const replica = new BenchReplica(name, join(folder, name), portOf(name), {
      node: { id: name, listen: `127.0.0.1:${portOf(name)}` },
      database: { path: './app.db' },
      tables: [{ name: 'words', timestamp_column: 'updated_at', soft_delete_column: 'deleted_at' }],
      peers: (peers[name] ?? []).map((peer) => ({
        name: peer,
        address: addressOf(name, peer, portOf(peer)),
      })),
      sync: { interval, live },
      network: { reconnect_interval: '1s', compression },
      log: { format: 'json' },
    });
    replicas.push(replica);
    await replica.cli('migrate', '--no-backup');
  }
  return replicas;
}

/** One replica with its daemon. */
export class BenchReplica {
  readonly database: string;
  readonly configFile: string;
  readonly address: string;
  #daemon: Program | null = null;
  /** Rows that `pullRows` has waited for so far. */
  #awaited = 0;

  constructor(
    readonly name: string,
    folder: string,
    port: number,
    config: object,
  ) {
    mkdirSync(folder, { recursive: true });
    this.database = join(folder, 'app.db');
    this.configFile = join(folder, 'sync-config.yaml');
    this.address = `http://127.0.0.1:${port}`;
    writeFileSync(this.configFile, stringify(config));
    createApp(this.database);
  }

  cli(...args: readonly string[]): Promise<string> {
    return runCliWell([...args, '--config', this.configFile]);
  }

  /** Does nothing where the daemon runs. */
  async start(): Promise<void> {
    if (this.#daemon?.isRunning === true) return;
    this.#awaited = 0;
    this.#daemon = startCli(['start', '--config', this.configFile]);
    await this.#line((line) => line.message === 'listening', 0);
  }

  async stop(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = null;
    if (daemon?.isRunning !== true) return;
    const force = setTimeout(() => void daemon.end('SIGKILL'), MAX_END_MS);
    await daemon.end('SIGTERM');
    clearTimeout(force);
  }

  /**
   * Asks for pulls until so many more rows have arrived, and resolves when the last pull has stored its cursor. Rows
   * that a pull of the daemon's own brought count too.
   */
  async pullRows(peer: string, rows: number): Promise<void> {
    const deadline = performance.now() + MAX_WAIT_MS;
    this.#awaited += rows;
    while (this.received() < this.#awaited) {
      if (performance.now() > deadline) throw new Error(`${this.name} has not got ${rows} rows from ${peer}`);
      await this.pull(peer);
    }
  }

  /** One pull to the peer's head. */
  async pull(peer: string): Promise<void> {
    const from = this.#running().lines.length;
    const body = JSON.stringify({ peer });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${this.address}/sync/trigger`, { method: 'POST', headers, body });
    if (answer.status !== 202) throw new Error(`trigger was answered with ${answer.status}`);
    const isOf = (message: string) => (line: LogLine) => line.message === message && line.peer === peer;
    const started = await this.#line(isOf('pull started'), from);
    const { line } = await this.#line(
      (each) => isOf('pull finished')(each) || isOf('pull failed')(each),
      started.at,
    );
    if (line.message === 'pull failed') throw new Error(`${this.name}: ${JSON.stringify(line)}`);
  }

  /** Rows that all its pulls together were sent so far. */
  received(): number {
    return this.#running()
      .lines.map(parsed)
      .filter((line) => line.message === 'pull finished')
      .reduce((sum, line) => sum + rowsIn(line), 0);
  }

  /** The most memory that the daemon ever had, in MiB. */
  peakMemoryMiB(): number {
    return this.#memory('VmHWM');
  }

  /** What all its threads have computed so far, in ms. */
  computedMs(): number {
    const tasks = `/proc/${this.#running().pid}/task`;
    const nanoseconds = readdirSync(tasks).map((task) => {
      const [ran = ''] = readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ');
      return Number(ran);
    });
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
  }

  /** Resolves when it holds a question at each of its peers. */
  async live(): Promise<void> {
    for (;;) {
      const answer = await fetch(`${this.address}/sync/status`);
      const { peers } = (await answer.json()) as StatusReport;
      if (peers.length > 0 && peers.every(({ pull }) => pull?.live === true)) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #memory(field: string): number {
    const status = readFileSync(`/proc/${this.#running().pid}/status`, 'utf8');
    const [, kiB] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status) ?? [];
    if (kiB === undefined) throw new Error(`no ${field} in the status of the process`);
    return Number(kiB) / 1024;
  }

  #running(): Program {
    if (this.#daemon === null) throw new Error(`${this.name} was not started`);
    return this.#daemon;
  }

  async #line(fits: (line: LogLine) => boolean, from: number): Promise<{ line: LogLine; at: number }> {
    const daemon = this.#running();
    const text = await daemon.line((line) => fits(parsed(line)), 'log line', MAX_WAIT_MS, from);
    return { line: parsed(text), at: daemon.lines.indexOf(text, from) };
  }
}

/** Ends what runs; the files stay. */
export async function stopAll(replicas: readonly BenchReplica[]): Promise<void> {
  await Promise.all(replicas.map((replica) => replica.stop()));
}

export function requireAllEqual([first, ...others]: readonly BenchReplica[]): void {
  for (const other of others) if (first !== undefined) requireEqual(first.database, other.database);
}

function rowsIn({ applied = 0, skipped = 0 }: LogLine): number {
  return applied + skipped;
}

function parsed(line: string): LogLine {
  return JSON.parse(line) as LogLine;
}
