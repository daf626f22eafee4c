import { expect } from 'chai';
import { openChangelog } from '#src/changelog/changelog.js';
import { afterFold } from '#src/changelog/fold-all.js';
import { toReplicatedTable } from '#src/database/replicable.js';
import { findTable, readTables } from '#src/database/table.js';
import { QuickGroup, tableConfig } from '../replication/quick-replica.js';

const WORDS = tableConfig('words', { timestampColumn: 'updated_at' });
const ROWS = 20_000;

describe('folding until the log is read', () => {
  let group: QuickGroup;
  beforeEach(() => {
    group = new QuickGroup('CREATE TABLE words (id TEXT PRIMARY KEY, english, updated_at INTEGER)', [WORDS]);
  });
  afterEach(() => {
    group.remove();
  });

  /** The entries of each batch that 20,000 new rows are folded in, and the file afterwards. */
  async function fold(boxMs: number): Promise<{ batches: number[]; freeBytes: number }> {
    const { app } = group.add('ann');
    app.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
      INSERT INTO words SELECT lower(hex(randomblob(16))), 'word', i FROM n`);
    const table = findTable(readTables(app), 'words');
    if (table === undefined) throw new Error('no table words');
    const changelog = openChangelog(app, [toReplicatedTable(table, WORDS)]);
    const raw = app.prepare('SELECT count(*) FROM _sync_changes WHERE origin IS NULL').pluck();
    const batches: number[] = [];
    const { folded } = await afterFold(
      {
        run: (work) => {
          const before = raw.get() as number;
          const result = app.transaction(work).immediate();
          batches.push(before - (raw.get() as number));
          return Promise.resolve(result);
        },
        boxMs: () => boxMs,
        changelog: () => changelog,
        clock: () => ({ nowMs: Date.now(), maxSkewMs: 5_000 }),
      },
      () => null,
    );
    expect(folded).to.include({ entries: ROWS, versions: ROWS });
    const free = app.pragma('freelist_count', { simple: true }) as number;
    return { batches, freeBytes: free * (app.pragma('page_size', { simple: true }) as number) };
  }

  it('leaves little room in the file where raw entries were, though all could be folded at once', async () => {
    const { batches, freeBytes } = await fold(100_000);
    expect(batches[0]).to.be.within(5_000, 8_000);
    // 20,000 raw entries took more than a MB
    expect(freeBytes).to.be.below(400_000);
  });

  it('takes more at once the more is left, however short its turn is', async () => {
    const { batches } = await fold(1);
    expect(batches[0]).to.be.above(5_000);
    expect(batches.length).to.be.below(ROWS / 1_000);
  });
});
