import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { execute, expectSameContent, queryRow } from '../replication/content.js';
import { SqliteShell } from '../replication/foreign-programs.js';
import { ReplicaGroup, type Replica } from '../replication/group.js';
import { Values } from './values.js';
import type { Write, WriterName, Writers } from './writers.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER, deleted_at INTEGER);
  CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT);
`;

const TABLES = [
  { name: 'words', timestamp_column: 'updated_at', soft_delete_column: 'deleted_at' },
  { name: 'notes' },
];

/** Pulls come only when asked for, or with the start; clocks may be days apart. */
const SETTINGS = {
  network: { breaker_failures: 1_000, reconnect_interval: '1h' },
  clock: { abort_skew: '24d' },
  log: { format: 'json', level: 'debug' },
};

/** The replica that comes to be as a copy of another one's file. */
const CLONE = 'clone';

/** A backup that was taken of a replica's file. */
interface Backup {
  readonly file: string;
}

/** Whole replicas and applications that write to them, with everything that may happen to them, and the books of it. */
export class FaultyGroup {
  readonly values = new Values();
  readonly told: string[] = [];
  private readonly backups = new Map<string, Backup>();
  private present: Replica[];

  private constructor(
    private readonly group: ReplicaGroup,
    private readonly writers: Writers,
  ) {
    this.present = group.replicas.filter(({ name }) => name !== CLONE);
  }

  static async create(count: number, template: string, writers: Writers): Promise<FaultyGroup> {
    const names = [...['ann', 'bob', 'cid'].slice(0, count), CLONE];
    const peers = Object.fromEntries(names.map((name) => [name, names.filter((other) => other !== name)]));
    const group = await ReplicaGroup.create({ tables: TABLES, peers, settings: SETTINGS });
    for (const replica of group.replicas) {
      const clockFile = `${replica.database}-clock`;
      writeFileSync(clockFile, '0');
      const preload = new URL('./shifted-clock.js', import.meta.url).href;
      replica.environment = { NODE_OPTIONS: `--import=${preload}`, TEST_CLOCK_FILE: clockFile };
      if (replica.name !== CLONE) copyFileSync(template, replica.database);
    }
    const faulty = new FaultyGroup(group, writers);
    await Promise.all(faulty.present.map((replica) => replica.start()));
    return faulty;
  }

  /** Makes a database that replicas can begin with; returns its file and what removes it. */
  static async template(): Promise<{ file: string; remove: () => Promise<void> }> {
    const group = await ReplicaGroup.create({ tables: TABLES, peers: { template: [] } });
    const replica = group.replica('template');
    replica.create(SCHEMA);
    await replica.run('migrate', '--no-backup');
    return { file: replica.database, remove: () => group.remove() };
  }

  get count(): number {
    return this.present.length;
  }

  private at(index: number): Replica {
    const replica = this.present[index % this.present.length];
    if (replica === undefined) throw new TypeError('Expected a replica');
    return replica;
  }

  async write(index: number, write: Omit<Write, 'value' | 'nowMs'>, writer: WriterName): Promise<void> {
    const { database, name } = this.at(index);
    const value = write.kind === 'delete' ? null : this.values.next();
    const nowMs = Date.now() + Number(readFileSync(`${database}-clock`, 'utf8'));
    const done = await this.writers.write(database, { ...write, value, nowMs }, writer);
    this.tell(
      `${writer} at ${name}: ${write.kind} ${write.table} ${write.key} ${value}, ${JSON.stringify(done)}`,
    );
    if (done.changed) this.values.acknowledged(value, done.replaced);
  }

  /** Where both run; else the network has parted them. */
  async pull(index: number, from: number): Promise<void> {
    const [replica, peer] = [this.at(index), this.at(from)];
    if (replica === peer || !replica.isRunning || !peer.isRunning) return;
    this.tell(`${replica.name} pulls from ${peer.name}`);
    await replica.pull(peer.name);
  }

  /** Kills a replica, perhaps in the middle of a pull. */
  async kill(index: number, afterMs: number): Promise<void> {
    const replica = this.at(index);
    if (!replica.isRunning) return;
    this.tell(`${replica.name} is killed ${afterMs} ms into pulls`);
    await replica.fetch('/sync/trigger-all', { method: 'POST' });
    await pause(afterMs);
    await replica.kill();
  }

  /** Stops a replica as one should: it is out of reach. */
  async part(index: number): Promise<void> {
    const replica = this.at(index);
    if (!replica.isRunning) return;
    this.tell(`${replica.name} is out of reach`);
    await replica.stop();
  }

  async start(index: number): Promise<void> {
    const replica = this.at(index);
    if (replica.isRunning) return;
    this.tell(`${replica.name} starts`);
    await replica.start();
  }

  setClock(index: number, shiftMs: number): void {
    const { database, name } = this.at(index);
    this.tell(`the clock of ${name} is ${shiftMs} ms off`);
    writeFileSync(`${database}-clock`, String(shiftMs));
  }

  async backUp(index: number, byShell: boolean): Promise<void> {
    const { database, name } = this.at(index);
    const file = `${database}-backup`;
    rmSync(file, { force: true });
    this.tell(`a backup of ${name} ${byShell ? 'by .backup' : 'by VACUUM INTO'}`);
    await copyCleanly(database, file, byShell);
    this.backups.set(name, { file });
  }

  /** Puts the newest backup back, over the file or in its place. */
  async restore(index: number, how: { readonly inPlace: boolean; readonly killed: boolean }): Promise<void> {
    const replica = this.at(index);
    const backup = this.backups.get(replica.name);
    if (backup === undefined) return;
    await (how.killed ? replica.kill() : replica.end());
    this.expectNothingMissing(`before ${replica.name} is restored`);
    const { database } = replica;
    for (const log of ['-wal', '-shm']) rmSync(database + log, { force: true });
    if (how.inPlace) {
      copyFileSync(backup.file, database);
    } else {
      copyFileSync(backup.file, `${database}-restored`);
      renameSync(`${database}-restored`, database);
    }
    this.values.thrownAway(this.files);
    this.tell(`${replica.name} is restored ${how.inPlace ? 'over its file' : 'in its place'}`);
  }

  /** A copy of a replica's file becomes a replica of its own. */
  async clone(index: number, byShell: boolean): Promise<void> {
    const copy = this.group.replica(CLONE);
    if (this.present.includes(copy)) return;
    const source = this.at(index);
    await copyCleanly(source.database, copy.database, byShell);
    await copy.start();
    this.present = [...this.present, copy];
    this.tell(`${source.name} is cloned`);
  }

  /** Heals everything, lets all pull until all is said, and compares the tables and the books. */
  async expectNothingLost(): Promise<void> {
    for (const replica of this.present) if (!replica.isRunning) await replica.start();
    await this.group.settle(this.present);
    expectSameContent(this.files, { words: ['id'], notes: ['id'] });
    await this.group.expectQuiet(this.present);
    this.expectNothingMissing('in the end');
    for (const file of this.files) expect(queryRow(file, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
  }

  private expectNothingMissing(when: string): void {
    expect(this.values.missing(this.files), `values that are lost ${when}`).to.deep.equal([]);
  }

  private get files(): string[] {
    return this.present.map(({ database }) => database);
  }

  private tell(what: string): void {
    this.told.push(what);
  }

  remove(): Promise<void> {
    return this.group.remove();
  }
}

async function copyCleanly(from: string, to: string, byShell: boolean): Promise<void> {
  if (!byShell) {
    execute(from, `VACUUM INTO '${to}'`);
    return;
  }
  const shell = new SqliteShell(from);
  await shell.run(`.backup '${to}'`);
  await shell.close();
}
