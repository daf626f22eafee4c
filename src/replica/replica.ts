import { EventEmitter, setMaxListeners } from 'node:events';
import type { Config } from '../config/config.js';
import { SyncError } from '../errors.js';
import { loadConfig } from '../config/load.js';
import { isReachable } from '../config/peers.js';
import type { Discovery } from '../discovery/discovery.js';
import { pageSource } from '../feed/changes.js';
import { createFeed, type FeedParts } from '../feed/feed.js';
import type { Listening } from '../feed/listen.js';
import { noRefusals } from '../feed/refusals.js';
import { settledWithin } from '../feed/settled-within.js';
import type { Logger } from '../log/logger.js';
import { createMetrics } from '../metrics/metrics.js';
import { meteredWriter } from '../metrics/metered-writer.js';
import type { PeerLoop } from '../pull/loop.js';
import type { PullMeter } from '../pull/metered-record.js';
import { createRecord, type PullFailure, type PullListener } from '../pull/state.js';
import { Turns } from '../pull/turns.js';
import type { ApplyResponse, ReaderCalls, WriterCalls } from '../threads/calls.js';
import { openThreads } from '../threads/open.js';
import { openCertificates, type Certificates } from '../tls/certificates.js';
import { startBackup } from '../threads/backup-maker.js';
import { startSnapshot } from '../threads/snapshot-builder.js';
import { openTracer } from '../tracing/open.js';
import { UNTRACED, type Tracer } from '../tracing/tracer.js';
import { announce, announcePeer } from './announce.js';
import { keepBackups, type BackupKeeper } from './backups.js';
import { startCare } from './care.js';
import { watchCommits } from './commit-watch.js';
import { watchFile } from './file-hints.js';
import { startCron } from './cron.js';
import { createDiskGuard, type DiskGuard } from './disk.js';
import { feedSettings } from './feed-settings.js';
import { announceAndFind, findOnce, foundReports } from './find-peers.js';
import { createFolding, foldCommits, sayRenewal } from './folding.js';
import { watchNtp, type NtpWatch } from './ntp.js';
import { recordOffers, type OfferedRecord } from './offered.js';
import { startPulls, type Pulls } from './pulls.js';
import { keepSnapshots, type SnapshotKeeper } from './snapshots.js';
import { serve } from './serve.js';
import { nodesReport, statusReport, type NodesReport, type StatusReport } from './status.js';
import { syncOnce, type SyncOptions, type SyncOutcome } from './sync-once.js';
import { tracedWriter } from './traced-writer.js';
import { programVersion } from './version.js';
import { keepWhereabouts, type Whereabouts } from './whereabouts.js';

/** What a replica emits; `peer` is the peer's name. */
export interface ReplicaEvents {
  /** A page from a peer was applied and changed rows. */
  applied: [peer: string, page: ApplyResponse];
  /** Versions that were overruled; the ledger holds them in full. */
  conflict: [peer: string, conflicts: number];
  peerLost: [peer: string, failure: PullFailure];
  peerRegained: [peer: string];
  /** A database thread has ended by itself: nothing can be served or applied any more. Stop. */
  failed: [];
}

/** The database's two threads, opened. */
export interface OpenedThreads {
  readonly writer: Omit<WriterCalls, 'open'>;
  readonly reader: Omit<ReaderCalls, 'open'>;
  /** Resolves when one of them has ended. */
  readonly ended: Promise<unknown>;
}

/** Running answers end within this when the replica stops. */
const CLOSE_GRACE_MS = 1000;
/** `stop` gives up waiting for the database after this; what is not done then is done after the next start. */
const STOP_TIMEOUT_MS = 4000;

/** What runs until the stop and listens for it; more than these would be a leak. */
const MAX_END_LISTENERS = 100;

/**
 * Opens a migrated database as a replica. Rejects with `not_migrated` and what else keeps it from opening. Nothing
 * is served or pulled before `start` or `sync`.
 */
export async function openReplica(config: Config, logger: Logger): Promise<Replica> {
  const certificates = openCertificates(config, logger);
  const tracer = await openTracer(config, programVersion(), logger);
  const threads = await openThreads(config);
  if (threads.renewal !== null) sayRenewal(logger, threads.renewal);
  return new Replica(config, logger, threads, { certificates, tracer });
}

/** One database with its feed and its pulls, from open to `stop`. */
export class Replica extends EventEmitter<ReplicaEvents> {
  #config: Config;
  readonly #logger: Logger;
  readonly #threads: OpenedThreads;
  readonly #certificates: Certificates | null;
  readonly #tracer: Tracer;
  readonly #metrics;
  readonly #disk: DiskGuard;
  readonly #backups: BackupKeeper;
  readonly #turns = new Turns();
  readonly #version = programVersion();
  readonly #end = new AbortController();
  readonly #fold: ReturnType<typeof createFolding>;
  readonly #offered: OfferedRecord;
  #listening: Listening | null = null;
  #pulls: Pulls | null = null;
  #snapshots: SnapshotKeeper | null = null;
  #ntp: NtpWatch = { ntp: null };
  #discovery: Discovery | null = null;
  readonly #whereabouts: Whereabouts;
  #stopped: Promise<void> | null = null;

  /** Who was not let in, since this replica was opened. */
  readonly refusals = noRefusals();

  /** Use `openReplica`. */
  constructor(
    config: Config,
    logger: Logger,
    threads: OpenedThreads,
    { certificates = null, tracer = UNTRACED }: { certificates?: Certificates | null; tracer?: Tracer } = {},
  ) {
    super();
    setMaxListeners(MAX_END_LISTENERS, this.#end.signal);
    this.#certificates = certificates;
    this.#config = config;
    this.#logger = logger;
    this.#tracer = tracer;
    this.#metrics = createMetrics(config.peers.map(({ name }) => name));
    const writer = tracedWriter(meteredWriter(threads.writer, this.#metrics), tracer);
    this.#threads = { ...threads, writer };
    this.#fold = createFolding(writer, logger, this.#end.signal);
    const { path, lowDiskBytes } = config.database;
    void threads.ended.then(() => {
      this.#threadEnded();
    });
    this.#backups = keepBackups({
      config,
      start: (file) => startBackup(config, file),
      logger,
      now: Date.now,
    });
    this.#disk = createDiskGuard(path, lowDiskBytes, { logger, onRoom: () => this.#pulls?.tick() });
    this.#offered = this.#recordOffers();
    this.#whereabouts = keepWhereabouts(config, () => this.#discovery, logger);
  }

  #threadEnded(): void {
    if (this.#stopped !== null) return;
    this.#logger.error('a database thread has ended', { hint: 'The replica stops; start it again.' });
    this.emit('failed');
  }

  /** Where the feed listens, e.g. `127.0.0.1:8091`; null before `start`. */
  get address(): string | null {
    if (this.#listening === null) return null;
    const { host, port } = this.#listening;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  /** Serves, pulls and cares for the database file until `stop`. Rejects with `port_taken` or `clock_not_synchronised` before anything began. */
  async start(): Promise<void> {
    const { clock, database, retention, sync } = this.#config;
    const care = { logger: this.#logger, signal: this.#end.signal };
    this.#ntp = await watchNtp({ requireNtp: clock.requireNtp, ...care });
    const fold = this.#fold;
    const commits = watchCommits(this.#threads.reader, this.#logger, this.#end.signal, (onHint) =>
      watchFile(database.path, onHint, care),
    );
    const folded = foldCommits(commits, fold);
    const snapshots = keepSnapshots({
      config: this.#config,
      build: (file) => startSnapshot(this.#config, file),
      fold,
      admit: () => this.#disk.admit(),
    });
    this.#snapshots = snapshots;
    const feed = createFeed({ ...this.#feedParts(), commits, fold, folded, snapshots });
    const listening = await serve(feed, this.#config, this.#certificates, {
      ...care,
      counts: this.refusals,
    });
    this.#listening = listening;
    announce(this.#config, this.address ?? '', this.#logger);
    void fold();
    startCare({
      ...care,
      database,
      retention,
      writer: this.#threads.writer,
      disk: this.#disk,
      now: Date.now,
    });
    this.#backups.schedule(this.#end.signal);
    const pulls = startPulls(this.#pullParts());
    this.#pulls = pulls;
    if (sync.live) {
      commits.onCommit(() => {
        pulls.offer();
      });
    }
    const tick = () => {
      pulls.tick();
    };
    if (sync.schedule !== null) startCron(sync.schedule, tick, { ...care, what: 'scheduled pull failed' });
    if (this.#config.network.discovery) await this.#discover(listening);
  }

  async #discover(listening: Listening): Promise<void> {
    const { epoch } = await this.#threads.reader.identity();
    const discovery = await announceAndFind({
      config: this.#config,
      logger: this.#logger,
      epoch,
      listening,
      peers: () => this.#config.peers,
      onFound: (node) => this.#pulls?.found(node),
    });
    if (this.#end.signal.aborted) await discovery?.stop();
    else this.#discovery = discovery;
  }

  /**
   * Reads the peers of the configuration file again, and pulls from those that are new. Their names. Throws
   * `config_invalid`; whatever else has changed in the file counts after the next start.
   */
  reloadPeers(): string[] {
    const known = this.#config.peers.map(({ name }) => name);
    const added = loadConfig(this.#config.file).peers.filter(({ name }) => !known.includes(name));
    this.#config = { ...this.#config, peers: [...this.#config.peers, ...added] };
    for (const peer of added) {
      announcePeer(this.#config, peer, this.#logger);
      this.#offered.add(peer.name);
      this.#metrics.knows(peer.name);
      this.#pulls?.add(peer);
    }
    return added.map(({ name }) => name);
  }

  /**
   * Pulls once from one peer, or all that can be reached, to their heads, and offers what those lack that are fed over
   * our connections; needs no `start`. A failed pull is an outcome, not a rejection. Rejects with `unknown_peer`.
   */
  async sync({ peer: name, full = false, onReceived }: SyncOptions = {}): Promise<SyncOutcome[]> {
    const peers = this.#config.peers.filter((peer) =>
      name === undefined ? isReachable(peer, this.#config) : peer.name === name,
    );
    if (name !== undefined && peers.length === 0) {
      const hint = 'Peers are named under peers: in the configuration.';
      throw new SyncError('unknown_peer', `no peer "${name}" is configured`, { hint, exitCode: 2 });
    }
    const { finder } = this.#whereabouts;
    const found = this.#discovery === null ? await findOnce(this.#config, peers, this.#logger) : finder;
    const parts = { ...this.#pullParts(), finder: found, onReceived };
    return Promise.all(peers.map((peer) => syncOnce(peer, full, parts, this.#end.signal)));
  }

  /** Asks the running loop for a pull now; the peer's name, or null where none has this name or address. */
  trigger(peer: string, options: { readonly full?: boolean } = {}): string | null {
    return this.#pulls?.trigger(peer, options.full ?? false) ?? null;
  }

  /** What this replica knows of itself and its peers. */
  async status(): Promise<StatusReport> {
    const local = await this.#threads.reader.status();
    const dangling = await this.#threads.reader.danglingReferences();
    await this.#disk.check();
    return statusReport({
      config: this.#config,
      version: this.#version,
      local,
      dangling,
      disk: this.#disk,
      ntp: this.#ntp.ntp,
      backup: this.#backups.report(),
      loops: this.#loops(),
      offers: this.#pulls?.offers ?? new Map(),
      offered: this.#offered.states,
      running: this.#listening !== null,
      listen: this.address,
      nowMs: Date.now(),
      ...this.#findings(),
    });
  }

  /**
   * Stops within 5 s: nothing new is accepted, held requests and pulls are aborted, the transaction that runs is
   * finished, the WAL is checkpointed, the database closed. Safe to call twice.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopInTime();
    return this.#stopped;
  }

  async #stopInTime(): Promise<void> {
    this.#end.abort();
    const closing = this.#close();
    if (await settledWithin(closing, STOP_TIMEOUT_MS)) await closing;
    else this.#logger.warn('the database is held by another program: stopped without a last checkpoint');
  }

  async #close(): Promise<void> {
    // The writer ends the part that it is applying and gives up waiting for locks: the pulls end with it.
    await Promise.all([
      this.#threads.writer.close(),
      this.#pulls?.stop(),
      this.#listening?.close(CLOSE_GRACE_MS),
      this.#snapshots?.close(),
      this.#backups.close(),
      this.#discovery?.stop(),
    ]);
    await this.#threads.reader.close();
    await this.#tracer.close();
  }

  #feedParts(): Omit<FeedParts, 'commits' | 'fold' | 'folded' | 'snapshots'> {
    return {
      ...feedSettings(this.#config),
      version: this.#version,
      refusals: this.refusals,
      reader: this.#threads.reader,
      writer: this.#threads.writer,
      pulls: {
        trigger: (peer, full) => this.trigger(peer, { full }),
        triggerAll: () => this.#pulls?.triggerAll() ?? [],
        reload: () => this.reloadPeers(),
      },
      offers: this.#offered,
      backups: { make: () => this.#backups.make('asked') },
      logger: this.#logger,
      signal: this.#end.signal,
      status: () => this.status(),
      nodes: () => Promise.resolve(this.#nodes()),
      activity: (afterS) => this.#metrics.activity(afterS),
      metrics: async () => this.#metrics.text(await this.status()),
      meter: this.#metrics,
      tracer: this.#tracer,
      now: Date.now,
    };
  }

  #pullParts() {
    const { reader, writer } = this.#threads;
    const listener = this.#listener();
    const admit = () => this.#disk.admit();
    const shared = { config: this.#config, reader, writer, turns: this.#turns, logger: this.#logger };
    const { id: node } = this.#config.node;
    const pages = { node, reader, writer, fold: this.#fold, logger: this.#logger, signal: this.#end.signal };
    const meter: PullMeter = (...ended) => {
      this.#metrics.pulled(...ended);
    };
    const served = (changes: number) => {
      this.#metrics.served(changes);
    };
    const watched = { tracer: this.#tracer, meter, served, skewsMs: () => this.#skewsMs() };
    return {
      ...shared,
      ...watched,
      tls: this.#certificates,
      admit,
      listener,
      finder: this.#whereabouts.finder,
      page: pageSource(pages),
      now: Date.now,
    };
  }

  #listener(): PullListener {
    return {
      applied: (peer, page) => this.emit('applied', peer, page),
      conflict: (peer, conflicts) => this.emit('conflict', peer, conflicts),
      peerLost: (peer, failure) => this.emit('peerLost', peer, failure),
      peerRegained: (peer) => this.emit('peerRegained', peer),
    };
  }

  #skewsMs(): Record<string, number> {
    const loops = [...this.#loops()].map(([peer, { state }]) => [peer, state] as const);
    const known = [...this.#offered.states, ...loops].map(([peer, { skewMs }]) => [peer, skewMs] as const);
    return Object.fromEntries(known.filter((entry): entry is [string, number] => entry[1] !== null));
  }

  #recordOffers(): OfferedRecord {
    const logger = this.#logger;
    const { clock, peers, sync } = this.#config;
    const listener = this.#listener();
    return recordOffers({
      peers: peers.map(({ name }) => name),
      pageSize: sync.pageSize,
      admit: () => this.#disk.admit(),
      logger,
      now: Date.now,
      clock,
      recordOf: (peer) => createRecord({ peer, clock, logger, listener, now: Date.now }),
      skewsMs: () => this.#skewsMs(),
    });
  }

  #nodes(): NodesReport {
    const own = { config: this.#config, loops: this.#loops(), listen: this.address };
    return nodesReport({ ...own, ...this.#findings() });
  }

  #findings() {
    const found = foundReports(this.#discovery?.all() ?? [], this.#config.peers);
    return { found, foundAt: this.#whereabouts.places };
  }

  #loops(): ReadonlyMap<string, PeerLoop> {
    return this.#pulls?.loops ?? new Map<string, PeerLoop>();
  }
}
