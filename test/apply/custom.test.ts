import { expect } from 'chai';
import { Resolvers } from '#src/config/resolvers.js';
import { QuickGroup, type QuickReplica } from '../replication/quick-replica.js';
import { scratchFile } from '../scratch.js';
import { bodies, expectQuiet, meet, SCHEMA, tablesWith, writeLater } from './strategy-setup.js';

describe('custom', () => {
  let group: QuickGroup;
  before(() => (group = new QuickGroup(SCHEMA, tablesWith({}))));
  afterEach(() => group.clear());
  after(() => group.remove());

  function write(replica: QuickReplica, sql: string): void {
    writeLater(group, replica, sql);
  }

  async function pair(
    source: string,
  ): Promise<{ ann: QuickReplica; bob: QuickReplica; resolvers: Resolvers }> {
    const resolver = scratchFile(source, 'resolver.mjs');
    const configured = tablesWith({ conflictResolution: 'custom', resolver });
    const resolvers = new Resolvers();
    await resolvers.load(configured);
    const options = { tables: configured, resolvers };
    return { ann: group.add('ann', '', options), bob: group.add('bob', '', options), resolvers };
  }

  /** Two edits that did not know each other; that of bob is newer. */
  function disagree({ ann, bob }: { ann: QuickReplica; bob: QuickReplica }): void {
    write(ann, `INSERT INTO words VALUES ('a', 'start', 1, 'kept here')`);
    meet(ann, bob);
    write(ann, `UPDATE words SET body = 'of ann', count = 5`);
    write(bob, `UPDATE words SET body = 'of bob', count = 3`);
  }

  const MAX = `export default (local, remote, context) => ({
      ...local, body: local.body + ' and ' + remote.body, count: Math.max(local.count, remote.count) });`;

  it('merges on the replica that wrote the loser, and nowhere else', async () => {
    const { ann, bob, resolvers } = await pair(MAX);
    disagree({ ann, bob });
    bob.pullFrom(ann);
    expect(bodies(bob)).to.deep.equal(['of bob']);
    expect(bob.conflicts()).to.have.length(1);
    ann.pullFrom(bob);
    expect(ann.app.prepare('SELECT * FROM words').all()).to.deep.equal([
      { id: 'a', body: 'of ann and of bob', count: 5, local_only: 'kept here' },
    ]);
    meet(ann, bob);
    expect(bodies(ann, bob)).to.deep.equal(Array(2).fill('of ann and of bob'));
    expectQuiet(ann, bob);
    expect(resolvers.takeFaults()).to.deep.equal([]);
  });

  it('settles the entries everywhere, and keeps both sides of the merge to be read', async () => {
    const { ann, bob } = await pair(MAX);
    disagree({ ann, bob });
    bob.pullFrom(ann);
    meet(ann, bob);
    expect([...ann.conflicts(), ...bob.conflicts()]).to.have.length(0);
    const [merged] = ann.conflicts(true);
    expect(merged).to.deep.include({ decided_by: 'resolver' });
    expect(merged?.settled_ms).to.be.a('number');
    expect(merged?.local.record).to.deep.include({ body: 'of ann' });
    expect(merged?.remote.record).to.deep.include({ body: 'of bob' });
  });

  it('is told both sides and their versions', async () => {
    const { ann, bob } = await pair(
      `export default (local, remote, { table, key, localVersion, remoteVersion, newer }) => ({
          ...local, body: JSON.stringify([table, key, localVersion.stamp < remoteVersion.stamp, newer,
            localVersion.origin.split('@')[0], remoteVersion.origin.split('@')[0], Object.keys(remote)]) });`,
    );
    disagree({ ann, bob });
    ann.pullFrom(bob);
    expect(JSON.parse(String(bodies(ann)[0]))).to.deep.equal([
      'words',
      ['a'],
      true,
      'remote',
      'ann',
      'bob',
      ['id', 'body', 'count'],
    ]);
  });

  it('can delete the row, and decide against a deletion', async () => {
    const { ann, bob } = await pair(
      'export default (local, remote) => (local && remote ? null : local ?? remote);',
    );
    disagree({ ann, bob });
    meet(ann, bob);
    expect(bodies(ann, bob)).to.deep.equal(['', '']);
    write(ann, `INSERT INTO words VALUES ('b', 'start', 1, NULL)`);
    meet(ann, bob);
    write(ann, `UPDATE words SET body = 'edited'`);
    write(bob, `DELETE FROM words WHERE id = 'b'`);
    meet(ann, bob);
    expect(bodies(ann, bob)).to.deep.equal(['edited', 'edited']);
    expectQuiet(ann, bob);
  });

  const faults: [string, string, RegExp][] = [
    ['throws', `() => { throw new Error('no idea'); }`, /^the resolver threw: no idea$/],
    ['returns a promise', `async () => { throw new Error('later'); }`, /returned a promise/],
    ['returns nothing', `() => {}`, /returned nothing, neither a row nor null/],
    ['returns a list', `() => []`, /returned a list/],
    ['invents a column', `(local) => ({ ...local, more: 1 })`, /unknown column "more"/],
    [
      'writes a column that stays local',
      `(local) => ({ ...local, local_only: 1 })`,
      /unknown column "local_only"/,
    ],
    ['leaves a column out', `({ id }) => ({ id, body: 'x' })`, /without column "count"/],
    [
      'returns what SQLite has no type for',
      `(local) => ({ ...local, body: true })`,
      /a boolean for column "body"/,
    ],
    [
      'returns undefined in a column',
      `(local) => ({ ...local, body: undefined })`,
      /nothing for column "body"/,
    ],
    ['returns a Date', `(local) => ({ ...local, body: new Date() })`, /an object \(Date\)/],
    ['returns NaN', `(local) => ({ ...local, count: NaN })`, /NaN for column "count"/],
    ['returns another key', `(local) => ({ ...local, id: 'b' })`, /a row of another key/],
    [
      'breaks a rule of the table',
      `(local) => ({ ...local, count: 1000 })`,
      /can't be written: CHECK constraint/,
    ],
  ];
  for (const [what, source, reason] of faults) {
    it(`leaves both sides as manual does where the resolver ${what}, and says so`, async () => {
      const { ann, bob, resolvers } = await pair(`export default ${source};`);
      disagree({ ann, bob });
      ann.pullFrom(bob);
      expect(bodies(ann)).to.deep.equal(['of ann']);
      const [conflict] = ann.conflicts();
      expect(conflict).to.deep.include({ decided_by: 'nobody', settled_ms: null });
      const [fault, ...more] = resolvers.takeFaults();
      expect(fault?.reason).to.match(reason);
      expect(more).to.have.length(0);
      ann.resolve(conflict?.id ?? 0, 'remote');
      meet(ann, bob);
      expect(bodies(ann, bob)).to.deep.equal(['of bob', 'of bob']);
      expect([...ann.conflicts(), ...bob.conflicts()]).to.have.length(0);
    });
  }

  it('leaves both sides where a unique value of the merge is another row of here', async () => {
    const { ann, bob, resolvers } = await pair(`export default (local) => ({ ...local, email: 'taken' });`);
    write(ann, `INSERT INTO users VALUES ('1', 'start'), ('2', 'taken')`);
    meet(ann, bob);
    write(ann, `UPDATE users SET email = 'of ann' WHERE id = '1'`);
    write(bob, `UPDATE users SET email = 'of bob' WHERE id = '1'`);
    ann.pullFrom(bob);
    expect(ann.app.prepare('SELECT email FROM users ORDER BY id').pluck().all()).to.deep.equal([
      'of ann',
      'taken',
    ]);
    expect(ann.conflicts()[0]).to.deep.include({ decided_by: 'nobody' });
    expect(resolvers.takeFaults()[0]?.reason).to.match(/unique: UNIQUE constraint failed/);
  });

  it('keeps every value to the byte that it leaves as it is', async () => {
    const { ann, bob } = await pair(
      `export default (local, remote, { newer }) => ({ ...remote, count: newer === 'remote' ? 7 : 8 });`,
    );
    const values = [
      '9007199254740993',
      '1.0',
      '2',
      `x'00ff'`,
      `CAST(x'ff41' AS TEXT)`,
      '-0.0',
      '9e999',
      `'é'`,
    ];
    for (const [at, value] of values.entries()) {
      write(ann, `INSERT INTO words VALUES ('k${at}', 'of ann', 1, NULL)`);
      write(bob, `INSERT INTO words VALUES ('k${at}', ${value}, 2, NULL)`);
    }
    const typed = (one: QuickReplica) =>
      one.app
        .prepare('SELECT typeof(body), quote(body), hex(body), count FROM words ORDER BY id')
        .raw()
        .all();
    const before = typed(bob).map((row) => [...(row as unknown[]).slice(0, 3), 7]);
    meet(ann, bob);
    expect(typed(ann)).to.deep.equal(before);
    expect(typed(bob)).to.deep.equal(before);
  });

  it('stores a new number as INTEGER where it is whole, and a bigint and bytes as they are', async () => {
    const { ann, bob } = await pair(
      `export default (local, remote) => ({ ...local,
          body: { 1: 12, 2: 1.5, 3: 9007199254740993n, 4: new Uint8Array([1, 2]), 5: 1e300 }[local.count] });`,
    );
    for (let count = 1; count <= 5; count += 1) {
      write(ann, `INSERT INTO words VALUES ('k${count}', 'of ann', ${count}, NULL)`);
      write(bob, `INSERT INTO words VALUES ('k${count}', 'of bob', 0, NULL)`);
    }
    meet(ann, bob);
    const typed = bob.app.prepare('SELECT typeof(body), quote(body) FROM words ORDER BY id').raw().all();
    expect(typed).to.deep.equal([
      ['integer', '12'],
      ['real', '1.5'],
      ['integer', '9007199254740993'],
      ['blob', `X'0102'`],
      ['real', '1.0e+300'],
    ]);
  });
});
