import { expect } from 'chai';
import type { VerifyReport } from '#src/commands/verify-report.js';
import { runMain } from '../cli/captured.js';
import { startPython, withPrograms } from '../replication/foreign-programs.js';
import { ReplicaGroup } from '../replication/group.js';

const VERIFIES = 3;

describe('verify beside programs that write on both replicas', function () {
  this.timeout(120_000);
  let group: ReplicaGroup;

  before(async () => {
    group = await ReplicaGroup.create({
      tables: [{ name: 'big', timestamp_column: 'updated_at' }],
      peers: { ann: ['bob'], bob: ['ann'] },
      settings: { sync: { interval: '200ms' } },
    });
    for (const replica of group.replicas) {
      replica.create('CREATE TABLE big (id TEXT PRIMARY KEY, body TEXT, updated_at INTEGER)');
      await replica.join();
    }
    const [ann] = group.replicas;
    ann?.create(`WITH n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
      INSERT INTO big SELECT 'r' || printf('%06d', i), 'body ' || i, 1704326400000 FROM n`);
    for (const replica of group.replicas) await replica.start();
    await group.settle();
  });
  after(() => group.remove());

  async function verify(): Promise<VerifyReport> {
    const { configFile } = group.replica('ann');
    const { stdout } = await runMain(['verify', '--peer', 'bob', '--json', '--config', configFile]);
    return JSON.parse(stdout) as VerifyReport;
  }

  withPrograms(['python3'], () => {
    it('raises no false alarm, and says equal', async () => {
      const writers = group.replicas.map(({ database, name }) =>
        startPython('busy_writer.py', database, name),
      );
      await Promise.all(writers.map((writer) => writer.line((line) => line === 'writing', 'first write')));
      const reports: VerifyReport[] = [];
      for (let run = 0; run < VERIFIES; run += 1) reports.push(await verify());
      for (const writer of writers) writer.closeInput();
      for (const writer of writers) expect((await writer.ended).code, writer.transcript).to.equal(0);
      const found = reports.flatMap(({ tables }) => tables.flatMap(({ differences }) => differences));
      expect(found, JSON.stringify(found, null, 1)).to.deep.equal([]);
      expect(reports.map(({ equal }) => equal)).to.deep.equal(Array(VERIFIES).fill(true));
      await group.settle();
      expect(await verify()).to.include({ equal: true, requests: 2 });
    });
  });
});
