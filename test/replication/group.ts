import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { stringify } from 'yaml';
import type { StatusReport } from '#src/replica/status.js';
import { runMain } from '../cli/captured.js';
import { runCliWell, startCli } from './command-line.js';
import { countOf, logHead } from './content.js';
import type { Program, ProgramEnd } from './program.js';

/** Sections of a configuration file, as they stand in it. */
export type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface GroupOptions {
  /** The `tables:` of every replica. */
  readonly tables: readonly object[];
  /** Who pulls from whom. */
  readonly peers: Readonly<Record<string, readonly string[]>>;
  /** Who can't be reached by the others, and feeds its peers over its own connections. */
  readonly firewalled?: readonly string[];
  /** Over the defaults of a test, for every replica. */
  readonly settings?: Settings;
  /** Where a replica reaches a peer that listens on this port; default: there. */
  readonly route?: (from: string, to: string, port: number) => Promise<number>;
}

/** What a pull from one peer did. */
export interface PullCounts {
  readonly peer: string;
  readonly applied: number;
  readonly skipped: number;
  readonly conflicts: number;
  readonly quarantined: number;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A pull only when a test asks for it; a lost peer is found again at once. */
const TEST_SETTINGS: Settings = {
  database: { low_disk: '1MB' },
  sync: { interval: '1h', live: false },
  network: { connect_timeout: '1s', request_timeout: '10s', max_retries: 0, reconnect_interval: '200ms' },
  log: { format: 'json' },
};

/** A daemon that is still there after this is killed. */
const MAX_END_MS = 6_000;

/** More rounds than any chain of a test has replicas. */
const MAX_ROUNDS = 12;

/** Whole replicas, each with a folder, a database file, a configuration and a port of its own. */
export class ReplicaGroup {
  private constructor(
    private readonly folder: string,
    readonly replicas: readonly Replica[],
  ) {}

  static async create({
    tables,
    peers,
    firewalled = [],
    settings = {},
    route,
  }: GroupOptions): Promise<ReplicaGroup> {
    const folder = mkdtempSync(join(tmpdir(), 'replicas-'));
    const names = Object.keys(peers);
    const ports = await freePorts(names.length);
    const portOf = (name: string) => ports[names.indexOf(name)] ?? 0;
    const replicas: Replica[] = [];
    for (const name of names) {
      const direction = firewalled.includes(name) ? { direction: 'both' } : {};
      const itsPeers: object[] = [];
      for (const peer of peers[name] ?? []) {
        const port = (await route?.(name, peer, portOf(peer))) ?? portOf(peer);
        const address = firewalled.includes(peer) ? {} : { address: `127.0.0.1:${port}` };
        itsPeers.push({ name: peer, ...address, ...direction });
      }
      const reached = (peers[name] ?? []).filter((peer) => !firewalled.includes(peer));
      const sections = merged(TEST_SETTINGS, settings, {
        node: { id: name, listen: `127.0.0.1:${portOf(name)}` },
      });
      const config = { ...sections, tables, peers: itsPeers };
      replicas.push(
        new Replica(name, join(folder, name), portOf(name), reached, config, firewalled.includes(name)),
      );
    }
    return new ReplicaGroup(folder, replicas);
  }

  get files(): string[] {
    return this.replicas.map(({ database }) => database);
  }

  replica(name: string): Replica {
    const found = this.replicas.find((replica) => replica.name === name);
    if (found === undefined) throw new TypeError(`Expected a replica of the group, not "${name}"`);
    return found;
  }

  /** Each replica pulls once from each of its peers, one after the other. */
  async pullRound(among = this.replicas): Promise<PullCounts[]> {
    const names = among.map(({ name }) => name);
    const pulls: PullCounts[] = [];
    for (const replica of among) {
      for (const peer of replica.peers) {
        if (names.includes(peer)) pulls.push(await replica.pull(peer));
      }
    }
    return pulls;
  }

  /** The changelogs' newest ids and lengths. */
  heads(among = this.replicas): unknown[] {
    return among.map(({ database }) => logHead(database));
  }

  /** Rounds of pulls until one moved nothing and no changelog grew meanwhile: then all is said. */
  async settle(among = this.replicas): Promise<void> {
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      const before = this.heads(among);
      const pulls = await this.pullRound(among);
      const grown = JSON.stringify(this.heads(among)) !== JSON.stringify(before);
      if (!pulls.some(hasMoved) && !grown && among.every(isFolded)) return;
    }
    throw new Error(`still moving after ${MAX_ROUNDS} rounds of pulls`);
  }

  /** Fails where a further round of pulls transfers a row or makes a changelog grow. */
  async expectQuiet(among = this.replicas): Promise<void> {
    const heads = this.heads(among);
    expect((await this.pullRound(among)).filter(hasMoved)).to.deep.equal([]);
    expect(this.heads(among), 'heads of the changelogs').to.deep.equal(heads);
  }

  /** Ends every daemon that still runs, whatever it takes, and removes all files. */
  async remove(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.end()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One replica: what its owner does at the command line, and its daemon. */
export class Replica {
  readonly database: string;
  readonly configFile: string;
  readonly address: string;
  /** Variables that its daemon is started with. */
  environment: Readonly<Record<string, string>> = {};
  #daemon: Program | null = null;

  constructor(
    readonly name: string,
    folder: string,
    port: number,
    readonly peers: readonly string[],
    config: Readonly<Record<string, unknown>>,
    private readonly offers = false,
  ) {
    mkdirSync(folder, { recursive: true });
    this.database = join(folder, 'app.db');
    this.configFile = join(folder, 'sync-config.yaml');
    this.address = `http://127.0.0.1:${port}`;
    const database = { ...(config.database as object), path: './app.db' };
    writeFileSync(this.configFile, stringify({ ...config, database }));
  }

  /** Makes the database file, as the application would. */
  create(sql: string): void {
    const database = new BetterSqlite3(this.database);
    database.exec(sql);
    database.close();
  }

  /** Runs a command that has to succeed, in a process of its own. */
  cli(...args: readonly string[]): Promise<string> {
    return runCliWell([...args, '--config', this.configFile]);
  }

  /** The same within the process of the tests, for what is no test of a process: most of its time is a start. */
  async run(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await runMain([...args, '--config', this.configFile]);
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}${stdout}`);
    return stdout;
  }

  /** What its owner does once. */
  async join(): Promise<void> {
    await this.run('migrate', '--no-backup');
    await this.run('backfill');
  }

  /** Has the daemon pull from a peer now, and waits until it has. */
  async pull(peer: string): Promise<PullCounts> {
    const from = this.daemon.lines.length;
    const answer = await this.fetch('/sync/trigger', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ peer }),
    });
    expect(answer.status).to.equal(202);
    const ofPeer = (line: LogLine) => line.peer === peer;
    // a pull that was running already may have read the peer's log too early
    await this.logged('pull started', ofPeer, from);
    const started = this.log.findIndex(
      (line, at) => at >= from && line.message === 'pull started' && ofPeer(line),
    );
    const pulled = (await this.logged('pull finished', ofPeer, started)) as unknown as PullCounts;
    if (!this.offers) return pulled;
    const finished = this.log.findIndex(
      (line, at) => at >= started && line.message === 'pull finished' && ofPeer(line),
    );
    return sum(pulled, await this.offered(peer, finished));
  }

  /** What an offer to a peer did that began after this line of the log; needs the log at debug level. */
  async offered(peer: string, from: number): Promise<PullCounts> {
    const ofPeer = (line: LogLine) => line.peer === peer;
    await this.logged('offer started', ofPeer, from);
    const started = this.log.findIndex(
      (line, at) => at >= from && line.message === 'offer started' && ofPeer(line),
    );
    return (await this.logged('offer finished', ofPeer, started)) as unknown as PullCounts;
  }

  /** What the running daemon says of itself. */
  async status(): Promise<StatusReport> {
    return (await (await this.fetch('/sync/status')).json()) as StatusReport;
  }

  /** Starts the daemon and waits until it listens. */
  async start(): Promise<void> {
    if (this.isRunning) throw new Error(`${this.name} runs already`);
    this.#daemon = startCli(['start', '--config', this.configFile], { env: this.environment });
    await this.logged('listening');
  }

  get isRunning(): boolean {
    return this.#daemon?.isRunning === true;
  }

  get daemon(): Program {
    if (this.#daemon === null) throw new Error(`${this.name} was not started`);
    return this.#daemon;
  }

  /** Ends the daemon as an init system does; it has to end well. */
  async stop(): Promise<void> {
    const { code } = await this.daemon.end('SIGTERM');
    expect(code, `exit code of ${this.name}: ${this.daemon.transcript}`).to.equal(0);
  }

  /** Ends the daemon as a power cut does. */
  async kill(): Promise<ProgramEnd | null> {
    return this.isRunning ? this.daemon.end('SIGKILL') : null;
  }

  /** Ends the daemon if it runs: as it should end, so that its coverage is written, and else by force. */
  async end(): Promise<void> {
    if (!this.isRunning) return;
    const force = setTimeout(() => void this.kill(), MAX_END_MS);
    await this.daemon.end('SIGTERM');
    clearTimeout(force);
  }

  /** What the daemon has logged so far. */
  get log(): LogLine[] {
    return this.daemon.lines.map(parsed);
  }

  /** The first line with this message, now or as soon as it comes. */
  async logged(message: string, fits: (line: LogLine) => boolean = () => true, from = 0): Promise<LogLine> {
    const isIt = (text: string) => {
      const line = parsed(text);
      return line.message === message && fits(line);
    };
    return parsed(await this.daemon.line(isIt, `log line "${message}"`, 20_000, from));
  }

  /** An answer of the feed. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.address + path, { ...init, signal: AbortSignal.timeout(20_000) });
  }
}

/** What waits for the fold is not in a page yet. */
function isFolded({ database }: Replica): boolean {
  return countOf(database, '_sync_changes', 'origin IS NULL') === 0;
}

function hasMoved({ applied, skipped, quarantined }: PullCounts): boolean {
  return applied + skipped + quarantined > 0;
}

function sum(a: PullCounts, b: PullCounts): PullCounts {
  return {
    peer: a.peer,
    applied: a.applied + b.applied,
    skipped: a.skipped + b.skipped,
    conflicts: a.conflicts + b.conflicts,
    quarantined: a.quarantined + b.quarantined,
  };
}

function parsed(line: string): LogLine {
  return JSON.parse(line) as LogLine;
}

function merged(...layers: readonly Settings[]): Settings {
  const result: Record<string, Readonly<Record<string, unknown>>> = {};
  for (const layer of layers) {
    for (const [section, keys] of Object.entries(layer)) result[section] = { ...result[section], ...keys };
  }
  return result;
}

/** Ports that nothing listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Resolves as soon as the condition holds, for what gives no event; rejects when time is up. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const POLL_MS = 50;
