import { expect } from 'chai';
import { Resolvers } from '#src/config/resolvers.js';
import { scratchFile } from '../scratch.js';
import { QuickGroup, tableConfig, type QuickReplica } from '../replication/quick-replica.js';

const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT)';
/** Both sides' words, as a list. */
const JOIN = `export default (local, remote) => {
  if (local === null || remote === null) return local ?? remote;
  return { ...remote, english: [...new Set([...local.english.split('+'), ...remote.english.split('+')])].sort().join('+') };
};`;

describe('what a page names under strategies', () => {
  let all: QuickReplica[];
  let group: QuickGroup;

  async function begin(strategy: 'custom' | 'manual' | 'source_wins'): Promise<void> {
    const overrides = {
      conflictResolution: strategy,
      resolver: strategy === 'custom' ? scratchFile(JOIN, 'join.mjs') : null,
      preferredNode: strategy === 'source_wins' ? 'cid' : null,
    };
    const tables = [tableConfig('words', overrides)];
    group = new QuickGroup(SCHEMA, tables);
    const resolvers = new Resolvers();
    await resolvers.load(tables);
    all = ['ann', 'bob', 'cid', 'dan'].map((node) => group.add(node, '', { tables, resolvers }));
    put(all[0]!, 'a', 'a');
    for (let round = 0; round < 3; round += 1) settle();
  }
  afterEach(() => group.remove());

  function put(at: QuickReplica, id: string, english: string): void {
    group.nowMs += 10;
    at.app
      .prepare('INSERT INTO words VALUES (?, ?) ON CONFLICT DO UPDATE SET english = excluded.english')
      .run(id, english);
    at.fold();
  }
  function settle(): void {
    for (const one of all) for (const other of all) if (one !== other) one.pullFrom(other);
  }
  const word = ({ app }: QuickReplica) =>
    app.prepare("SELECT english FROM words WHERE id = 'w'").pluck().get();

  for (const strategy of ['custom', 'manual', 'source_wins'] as const) {
    it(`${strategy}: who met equal content and then overwrote it keeps what was written`, async () => {
      await begin(strategy);
      const [ann, bob, cid] = all as [QuickReplica, QuickReplica, QuickReplica];
      put(ann, 'w', 'x');
      put(bob, 'w', 'x');
      cid.pullFrom(ann);
      bob.pullFrom(ann);
      put(bob, 'w', 'y');
      bob.pullFrom(cid);
      expect({ word: word(bob), listed: bob.conflicts(true).length }).to.deep.equal({ word: 'y', listed: 0 });
    });

    it(`${strategy}: the author of equal content does not take it up again once it was overwritten`, async () => {
      await begin(strategy);
      const [ann, bob, cid, dan] = all as [QuickReplica, QuickReplica, QuickReplica, QuickReplica];
      put(ann, 'w', 'x');
      put(bob, 'w', 'x');
      dan.pullFrom(ann);
      cid.pullFrom(dan);
      bob.pullFrom(ann);
      ann.pullFrom(bob);
      put(bob, 'w', 'y');
      ann.pullFrom(bob);
      ann.pullFrom(cid);
      expect({ word: word(ann), listed: ann.conflicts(true).length }).to.deep.equal({ word: 'y', listed: 0 });
    });

    it(`${strategy}: a third replica that has the overwritten row keeps it`, async () => {
      await begin(strategy);
      const [ann, bob, cid, dan] = all as [QuickReplica, QuickReplica, QuickReplica, QuickReplica];
      put(ann, 'w', 'x');
      put(bob, 'w', 'x');
      cid.pullFrom(ann);
      dan.pullFrom(ann);
      dan.pullFrom(bob);
      put(bob, 'w', 'y');
      dan.pullFrom(bob);
      dan.pullFrom(cid);
      expect({
        word: word(dan),
        listed: dan.conflicts(true).length,
        held: dan.members().get('dan')?.held,
      }).to.deep.equal({
        word: 'y',
        listed: 0,
        held: 0,
      });
    });
  }

  // A replica that waits for a person does not vouch for what it holds.
  for (const strategy of ['custom', 'source_wins'] as const) {
    it(`${strategy}: a conflict that another replica has noted is not decided again`, async () => {
      await begin(strategy);
      const [ann, bob, cid, dan] = all as [QuickReplica, QuickReplica, QuickReplica, QuickReplica];
      put(ann, 'w', 'x');
      put(bob, 'w', 'y');
      cid.pullFrom(ann);
      bob.pullFrom(ann);
      dan.pullFrom(bob);
      const before = word(dan);
      dan.pullFrom(cid);
      expect({ word: word(dan), listed: dan.conflicts(true).length }).to.deep.equal({
        word: before,
        listed: 0,
      });
    });
  }
});
