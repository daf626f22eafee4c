import { expect } from 'chai';
import { countOf, execute, expectSameContent, queryRow } from '../replication/content.js';
import { ReplicaGroup, type Replica, type Settings } from '../replication/group.js';

const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER);';

/** Two whole replicas that pull from each other, with one table `words`. */
export class CrashPair {
  private constructor(readonly group: ReplicaGroup) {}

  static async create(settings: Settings = {}): Promise<CrashPair> {
    const tables = [{ name: 'words', timestamp_column: 'updated_at' }];
    const peers = { desktop: ['laptop'], laptop: ['desktop'] };
    const group = await ReplicaGroup.create({ tables, peers, settings });
    for (const replica of group.replicas) replica.create(SCHEMA);
    return new CrashPair(group);
  }

  get desktop(): Replica {
    return this.group.replica('desktop');
  }

  get laptop(): Replica {
    return this.group.replica('laptop');
  }

  async joinBoth(): Promise<void> {
    await Promise.all([this.desktop.join(), this.laptop.join()]);
  }

  async startBoth(): Promise<void> {
    await Promise.all([this.desktop.start(), this.laptop.start()]);
  }

  /** Lets both daemons pull until all is said: the same rows on both, files that are sound, and nothing more to move. */
  async expectConverged(words: number): Promise<void> {
    await this.group.settle();
    expect(expectSameContent(this.group.files, { words: ['id'] })).to.deep.equal({ words });
    await this.group.expectQuiet();
    for (const replica of this.group.replicas) expectSound(replica);
  }

  remove(): Promise<void> {
    return this.group.remove();
  }
}

export function addWords({ database }: Replica, count: number): void {
  execute(
    database,
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     INSERT INTO words SELECT 'w' || i, 'word ' || i, 1700000000000 + i FROM n`,
  );
}

/** The file is whole, no trigger is silenced, and no row has two versions or, once all is folded, none. */
export function expectSound({ database }: Replica): void {
  expect(queryRow(database, 'PRAGMA integrity_check')).to.deep.equal(['ok']);
  expect(queryRow(database, 'SELECT applying FROM _sync_guard')).to.deep.equal([0]);
  const versions = `SELECT count(*), count(DISTINCT record_id) FROM _sync_changes WHERE origin IS NOT NULL`;
  const [all, distinct] = queryRow(database, versions);
  expect(all, 'versions against rows that have one').to.equal(distinct);
  expect(countOf(database, '_sync_changes', 'origin IS NULL'), 'unfolded entries').to.equal(0);
  const live = countOf(database, '_sync_changes', 'fingerprint IS NOT NULL');
  expect(live, 'versions of live rows').to.equal(countOf(database, 'words'));
}
