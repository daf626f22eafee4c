import { expect } from 'chai';
import { add } from './backups.js';
import { countOf, execute } from './content.js';
import { ReplicaGroup, type Replica } from './group.js';

describe('a replica that returns after it was forgotten', function () {
  this.timeout(60_000);
  let group: ReplicaGroup;
  afterEach(() => group.remove());

  it('brings no deleted row back by a repair either', async () => {
    group = await ReplicaGroup.create({
      tables: [{ name: 'words' }],
      peers: { ann: ['dan'], dan: ['ann'] },
    });
    const [ann, dan] = group.replicas as [Replica, Replica];
    for (const replica of group.replicas) {
      replica.create('CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT)');
      await replica.join();
      await replica.start();
    }
    add(ann, 'ours', 1);
    add(dan, 'theirs', 1);
    await group.settle();
    await dan.stop();
    execute(ann.database, 'DELETE FROM words');
    await ann.cli('peers', 'forget', 'dan');
    expect(await ann.cli('prune')).to.contain('2');
    await dan.start();
    const repair = await ann.cli('verify', '--peer', 'dan', '--repair').catch(String);
    expect(repair).to.contain('may have been deleted');
    expect(countOf(ann.database, 'words')).to.equal(0);
    expect(countOf(ann.database, '_sync_quarantine')).to.equal(2);
  });
});
