import { expect } from 'chai';
import { applyPart, beginPage } from '#src/apply/apply-page.js';
import { pullStart } from '#src/apply/pull-start.js';
import { parsePage } from '#src/wire/page.js';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';

/** What lies behind a quick replica. */
interface Inside {
  readonly database: { transaction(work: () => void): { immediate(): void } };
  readonly changelog: Parameters<typeof applyPart>[0];
}

describe('a page that was applied in part', () => {
  let group: QuickGroup;
  before(() => (group = new QuickGroup('CREATE TABLE words (id TEXT PRIMARY KEY)', [tableConfig('words')])));
  after(() => group.remove());
  const words = ({ app }: QuickReplica) => app.prepare('SELECT id FROM words ORDER BY id').pluck().all();

  /** Applies the first change of a page, and no more: as a process that is killed within a page. */
  function pullFirstChangeOnly(puller: QuickReplica, peer: QuickReplica): void {
    peer.fold();
    const start = pullStart((puller as unknown as Inside).changelog, peer.node);
    const page = parsePage(Buffer.from(peer.page(start.cursor, 100, puller.origin, start)));
    const { database, changelog } = puller as unknown as Inside;
    let ms = 0;
    database
      .transaction(() => {
        const { done } = applyPart(changelog, beginPage(page, 1), {
          nowMs: group.nowMs,
          maxSkewMs: 5_000,
          abortSkewMs: 60_000,
          peer: peer.node,
          since: start.cursor,
          pruned: start.pruned,
          epoch: puller.origin.split('@')[1] ?? '',
          boxMs: 2,
          elapsedMs: () => (ms += 1),
        });
        expect(done).to.equal(false);
      })
      .immediate();
  }

  for (const author of ['ann', 'bob'] as const)
    it(`is no proof that its sender still has it: a row by ${author} comes back to bob, whose disk was put back`, () => {
      const [ann, first, cid] = ['ann', 'bob', 'cid'].map((node) => group.add(node)) as [
        QuickReplica,
        QuickReplica,
        QuickReplica,
      ];
      let bob = first;
      ann.app.exec("INSERT INTO words VALUES ('early')");
      for (let round = 0; round < 3; round += 1)
        for (const [a, b] of [
          [bob, ann],
          [cid, bob],
          [bob, cid],
          [ann, bob],
        ] as const)
          a.pullFrom(b);
      const backup = group.newFile();
      bob.copyTo(backup);
      const at = author === 'ann' ? ann : bob;
      for (const id of ['r1', 'r2', 'r3']) {
        at.app.prepare('INSERT INTO words VALUES (?)').run(id);
        at.fold();
      }
      bob.pullFrom(ann);
      pullFirstChangeOnly(cid, bob);
      expect(words(cid)).to.deep.equal(['early', 'r1']);
      bob = group.restoreDisk(bob, backup);
      // Ann never comes back.
      for (let round = 0; round < 3; round += 1) {
        bob.pullFrom(cid);
        cid.pullFrom(bob);
      }
      expect(words(bob)).to.deep.equal(words(cid));
    });
});
