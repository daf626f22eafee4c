import { expect } from 'chai';
import { listHeld, type HeldList } from '#src/apply/held-list.js';
import { Writer } from '#src/threads/writer.js';
import { runMain } from '../cli/captured.js';
import { runCli } from '../replication/command-line.js';
import { addWords, createDatabaseFile, wordsOf, type DatabaseFile } from '../stand-ins/database-file.js';
import { pullFile } from './pull-file.js';

describe('quarantine', function () {
  this.timeout(60_000);
  let ann: DatabaseFile;
  let bob: DatabaseFile;

  beforeEach(async () => {
    ann = await createDatabaseFile('ann');
    bob = await createDatabaseFile('bob');
  });
  afterEach(() => {
    ann.app.close();
    bob.app.close();
  });

  function run(...args: string[]) {
    return runMain(['quarantine', ...args, '--config', ann.file]);
  }

  async function held(): Promise<HeldList> {
    const { status, stdout, stderr } = await run('--json');
    expect(status, stderr).to.equal(0);
    return JSON.parse(stdout) as HeldList;
  }

  /** Bob's rows can't be applied at ann until `mend` was run. */
  async function refuse(reaction: 'ABORT' | 'ROLLBACK' = 'ABORT'): Promise<void> {
    ann.app.exec(`CREATE TABLE switch (allowed); INSERT INTO switch VALUES (0);
      CREATE TRIGGER no BEFORE INSERT ON words WHEN (SELECT allowed FROM switch) = 0
      BEGIN SELECT RAISE(${reaction}, 'not now'); END`);
    addWords(bob.app, 'a', 'b');
    await pullFile(bob, ann);
  }

  /** Mends the cause without a change of the schema, which would make the daemon retry by itself. */
  function mend(): void {
    ann.app.exec('UPDATE switch SET allowed = 1');
  }

  it('lists what is held, with its reason, no wider than 80 columns', async () => {
    expect((await run()).stdout).to.equal('Nothing is in quarantine.\n');
    await refuse();
    const { stdout } = await runCli(['quarantine', '--config', ann.file]);
    expect(stdout).to.include('not now').and.include('words ["a"]').and.include('bob');
    for (const line of stdout.split('\n')) expect(line.length, line).to.be.at.most(80);
    const { quarantine, total } = await held();
    expect(total).to.equal(2);
    expect(quarantine[0]).to.deep.include({ table: 'words', key: ['a'], peer: 'bob', reason: 'not now' });
    expect(quarantine[0]?.change.record).to.deep.include({ english: 'word a' });
  });

  it('lists no more than the bytes that it may, but one at least, and counts them all', async () => {
    await refuse();
    const { quarantine, total } = listHeld(ann.app, { maxBytes: 1 });
    expect(quarantine.map(({ key }) => key)).to.deep.equal([['a']]);
    expect(total).to.equal(2);
  });

  for (const reaction of ['ABORT', 'ROLLBACK'] as const) {
    it(`retries all, and says what stays, where a trigger answers with ${reaction}`, async () => {
      await refuse(reaction);
      const stays = await run('retry');
      expect(stays.status).to.equal(1);
      expect(stays.stdout).to.include('words ["a"] stays: not now');
      mend();
      const { status, stdout } = await runCli(['quarantine', 'retry', '--json', '--config', ann.file]).then(
        ({ code, stdout }) => ({ status: code, stdout }),
      );
      expect(status).to.equal(0);
      expect(JSON.parse(stdout)).to.deep.equal({
        released: [
          { id: 1, table: 'words', key: ['a'] },
          { id: 2, table: 'words', key: ['b'] },
        ],
        held: [],
      });
      expect(wordsOf(ann.app)).to.deep.equal(['a', 'b']);
      expect((await run('retry')).stdout).to.equal('Nothing is in quarantine.\n');
    });
  }

  it('retries one, which enters it as the version that it is', async () => {
    await refuse();
    mend();
    expect((await run('retry', '2')).status).to.equal(0);
    expect(wordsOf(ann.app)).to.deep.equal(['b']);
    expect((await held()).total).to.equal(1);
    await pullFile(ann, bob);
    expect(wordsOf(bob.app)).to.deep.equal(['a', 'b']);
    const origin = ann.app
      .prepare(
        `SELECT name FROM _sync_changes c JOIN _sync_origins o ON o.id = c.origin WHERE record_id = 'b'`,
      )
      .pluck()
      .get();
    expect(origin).to.match(/^bob@/);
  });

  it('retries together what no order of single rows can write', async () => {
    for (const { app } of [ann, bob]) app.exec('CREATE UNIQUE INDEX one_term ON words (english)');
    addWords(bob.app, 'a', 'b', 'c');
    await pullFile(bob, ann);
    bob.app.exec(`UPDATE words SET english = id; UPDATE words SET english = 'word b' WHERE id = 'a';
      UPDATE words SET english = 'word a' WHERE id = 'b'`);
    // The page ends before the peer's head: what clashes waits.
    await pullFile(bob, ann, 2);
    expect((await held()).quarantine.map(({ reason }) => reason.split(':')[0])).to.deep.equal([
      'unique',
      'unique',
    ]);
    expect((await run('retry', '1')).status).to.equal(1);
    const { status, stdout } = await run('retry');
    expect(status, stdout).to.equal(0);
    expect(ann.app.prepare('SELECT english FROM words ORDER BY id').pluck().all()).to.deep.equal([
      'word b',
      'word a',
      'word c',
    ]);
  });

  it('drops one, and shows what was dropped in full', async () => {
    await refuse();
    const { status, stdout } = await run('drop', '1', '--json');
    expect(status).to.equal(0);
    const { dropped } = JSON.parse(stdout) as { dropped: HeldList['quarantine'][0] };
    expect(dropped.change.record).to.deep.include({ id: 'a', english: 'word a' });
    expect((await run('drop', '2')).stdout).to.include('Dropped 2: upsert of words ["b"], written by bob@');
    expect((await held()).total).to.equal(0);
    mend();
    await run('retry');
    expect(wordsOf(ann.app)).to.deep.equal([]);
  });

  it('answers an unknown ID with 1, and wrong usage with 2', async () => {
    for (const action of ['retry', 'drop']) {
      const { status, stderr } = await run(action, '7');
      expect(status).to.equal(1);
      expect(stderr).to.include('no change 7').and.include('quarantine list');
    }
    for (const wrong of [
      ['drop'],
      ['drop', 'x'],
      ['retry', '-1'],
      ['list', '1'],
      ['empty'],
      ['drop', '1', '2'],
    ]) {
      expect((await run(...wrong)).status, wrong.join(' ')).to.equal(2);
    }
  });

  it('is tried again by the daemon after a change of the schema, and once after its start', async () => {
    await refuse();
    const writer = new Writer(ann.config);
    await writer.open();
    await writer.fold();
    mend();
    await writer.fold();
    expect((await held()).total, 'nothing has told it to try').to.equal(2);
    ann.app.exec('CREATE TABLE other (id)');
    await writer.fold();
    expect((await held()).total).to.equal(0);
    expect(wordsOf(ann.app)).to.deep.equal(['a', 'b']);
    await writer.close();
  });

  it('waits for a table that is away for a while', async () => {
    await refuse();
    mend();
    const writer = new Writer(ann.config);
    await writer.open();
    ann.app.exec('ALTER TABLE words RENAME TO elsewhere');
    await writer.fold();
    expect((await held()).total).to.equal(2);
    ann.app.exec('ALTER TABLE elsewhere RENAME TO words');
    await writer.fold();
    await writer.close();
    expect((await held()).total).to.equal(0);
    expect(wordsOf(ann.app)).to.deep.equal(['a', 'b']);
  });

  it('is tried again by the daemon when the column has come that a change needs', async () => {
    bob.app.exec('ALTER TABLE words ADD COLUMN note');
    bob.app.exec(`INSERT INTO words VALUES ('a', 'x', 1704326400000, 'n')`);
    await pullFile(bob, ann);
    expect((await held()).quarantine[0]?.reason).to.equal('no column "note" in table "words"');
    ann.app.exec('ALTER TABLE words ADD COLUMN note');
    const writer = new Writer(ann.config);
    await writer.open();
    await writer.fold();
    await writer.close();
    expect((await held()).total).to.equal(0);
    expect(ann.app.prepare('SELECT note FROM words').pluck().get()).to.equal('n');
  });
});
