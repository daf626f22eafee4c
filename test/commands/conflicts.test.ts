import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import type { Conflict, ConflictList } from '#src/apply/conflict-list.js';
import { Reader } from '#src/threads/reader.js';
import { runMain } from '../cli/captured.js';
import { runCli } from '../replication/command-line.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { createDatabaseFile, type DatabaseFile } from '../stand-ins/database-file.js';
import { runOnTerminal } from '../stand-ins/terminal.js';
import { pullFile } from './pull-file.js';

const LONG = 'x'.repeat(120);
const START_MS = 1_704_326_400_000;

describe('conflicts', function () {
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

  /** Two edits of one row that did not know each other; bob's is later and wins, where ann reads it. */
  async function disagree(): Promise<void> {
    ann.app.exec(`INSERT INTO words VALUES ('${LONG}', 'of ann', ${START_MS + 1})`);
    bob.app.exec(`INSERT INTO words VALUES ('${LONG}', 'of bob', ${START_MS + 2})`);
    await pullFile(bob, ann);
  }

  function run(replica: DatabaseFile, ...args: string[]) {
    return runMain(['conflicts', ...args, '--config', replica.file]);
  }

  async function list(replica: DatabaseFile, ...args: string[]): Promise<ConflictList> {
    const { status, stdout, stderr } = await run(replica, 'list', '--json', ...args);
    expect(status, stderr).to.equal(0);
    return JSON.parse(stdout) as ConflictList;
  }

  function english(replica: DatabaseFile): unknown {
    return replica.app.prepare('SELECT english FROM words').pluck().get();
  }

  it('lists, shows and resolves through the real command line, no wider than 80 columns', async () => {
    await disagree();
    const cli = (...args: string[]) => runCli(['conflicts', ...args, '--config', ann.file]);
    const listed = await cli();
    expect(listed.stdout).to.include('overruled').and.include('local, of').and.include('remote, of');
    const shown = await cli('show', '1');
    expect(shown.stdout).to.include('remote (won)').and.include('"of ann"').and.include('"of bob"');
    for (const line of `${listed.stdout}\n${shown.stdout}`.split('\n'))
      expect(line.length, line).to.be.at.most(80);
    const resolved = await cli('resolve', '1', '--keep', 'local');
    expect(resolved.code, resolved.stderr).to.equal(0);
    expect(english(ann)).to.equal('of ann');
    expect((await cli()).stdout).to.equal('No conflicts.');
  });

  const ageless = (lines: readonly string[]) => lines.map((line) => line.replace(/│ \d+m?s +│$/, ''));

  withPrograms(['python3'], () => {
    it('has colours on a terminal, unless NO_COLOR is set, and marks what differs in any case', async () => {
      await disagree();
      for (const args of [['conflicts'], ['conflicts', 'show', '1']]) {
        const shown = await runOnTerminal([...args, '--config', ann.file]);
        expect(shown.code, shown.lines.join('\n')).to.equal(0);
        expect(shown.lines.join('\n')).to.include('\u001b[3');
        const env = { NO_COLOR: '1' };
        const plain = await runOnTerminal([...args, '--config', ann.file], { env });
        const piped = await runCli([...args, '--config', ann.file]);
        expect(ageless(plain.lines)).to.deep.equal(ageless(shown.lines.map(stripVTControlCharacters)));
        expect(ageless(piped.stdout.split('\n'))).to.deep.equal(ageless(plain.lines));
      }
      expect((await run(ann, 'show', '1')).stdout).to.match(/│ english != +│ "of ann" +│ "of bob" +│/);
    });
  });

  it('gives both rows in full as JSON, as the feed does', async () => {
    await disagree();
    const { conflicts, total } = await list(ann);
    expect(total).to.equal(1);
    const { stdout } = await run(ann, 'show', '1', '--json');
    expect(JSON.parse(stdout)).to.deep.equal(conflicts[0]);
    const record = { id: LONG, english: 'of ann', updated_at: START_MS + 1 };
    expect(conflicts[0]?.local).to.deep.include({ won: false, record });
    expect(conflicts[0]?.local.origin).to.match(/^ann@/);
    expect(conflicts[0]?.remote).to.deep.include({ won: true });
    const reader = new Reader(ann.config);
    await reader.open();
    expect(JSON.parse(JSON.stringify(await reader.conflicts()))).to.deep.equal({ conflicts, total });
    await reader.close();
    const status = await runMain(['status', '--json', '--config', ann.file]);
    expect(JSON.parse(status.stdout)).to.include({ conflicts: 1 });
  });

  it('lists as many as a page holds where the rows are large, and counts them all', async () => {
    for (const id of ['a', 'b', 'c']) {
      for (const [place, { app }] of [ann, bob].entries()) {
        const insert = app.prepare('INSERT INTO words VALUES (?, ?, ?)');
        insert.run(id, String(place).repeat(1_300_000), START_MS + place);
      }
    }
    await pullFile(bob, ann);
    const reader = new Reader(ann.config);
    await reader.open();
    const { conflicts, total } = await reader.conflicts(20);
    await reader.close();
    expect({ listed: conflicts.map(({ key }) => key), total }).to.deep.equal({ listed: [['c']], total: 3 });
    expect((await list(ann)).conflicts).to.have.length(3);
  });

  it('resolves by a new change, which settles the entry and wins on the peer', async () => {
    await disagree();
    const { status, stdout } = await run(ann, 'resolve', '1', '--keep', 'local', '--json');
    expect(status).to.equal(0);
    const { kept, conflict } = JSON.parse(stdout) as { kept: string; conflict: Conflict };
    expect(kept).to.equal('local');
    expect(conflict.settled_ms).to.be.a('number');
    expect((await list(ann)).total).to.equal(0);
    expect((await list(ann, '--all')).total).to.equal(1);
    expect((await run(ann, 'list', '--all')).stdout).to.include('settled');
    await pullFile(ann, bob);
    expect(english(bob)).to.equal('of ann');
    expect((await list(bob, '--all')).total).to.equal(0);
    const again = await runMain(['status', '--json', '--config', ann.file]);
    expect(JSON.parse(again.stdout)).to.include({ conflicts: 0 });
  });

  it('refuses to overwrite a later edit unforced, also one that was not folded yet', async () => {
    await disagree();
    bob.app.exec(`UPDATE words SET english = 'later'`);
    await pullFile(bob, ann);
    const { status, stderr } = await run(ann, 'resolve', '1', '--keep', 'local');
    expect(status).to.equal(1);
    expect(stderr).to.include('neither side now').and.include('--force');
    expect(english(ann)).to.equal('later');
    expect((await run(ann, 'resolve', '1', '--keep', 'local', '--force')).status).to.equal(0);
    expect(english(ann)).to.equal('of ann');
  });

  it('fails with what a constraint says, and changes nothing', async () => {
    await disagree();
    ann.app.exec(`CREATE TRIGGER no BEFORE UPDATE ON words BEGIN SELECT RAISE(ROLLBACK, 'not this'); END`);
    const { status, stderr } = await run(ann, 'resolve', '1', '--keep', 'local');
    expect(status).to.equal(1);
    expect(stderr).to.include('not this');
    expect(english(ann)).to.equal('of bob');
    expect((await list(ann)).total).to.equal(1);
  });

  it('answers an unknown ID with 1, and wrong usage with 2', async () => {
    const unknown = await run(ann, 'show', '7');
    expect(unknown.status).to.equal(1);
    expect(unknown.stderr).to.include('no conflict 7').and.include('conflicts list --all');
    expect((await run(ann, 'resolve', '7', '--keep', 'local')).status).to.equal(1);
    for (const wrong of [
      ['show'],
      ['show', 'x'],
      ['show', '0'],
      ['list', '1'],
      ['resolve', '1'],
      ['resolve', '--keep', 'local'],
      ['resolve', '1', '--keep', 'both'],
      ['forget', '1'],
      ['show', '1', '2'],
    ]) {
      const { status, stderr } = await run(ann, ...wrong);
      expect(status, wrong.join(' ')).to.equal(2);
      expect(stderr.trim().split('\n'), stderr).to.have.length(1);
    }
  });

  it('says so where the database is not migrated', async () => {
    const bare = await createDatabaseFile('cid', { migrated: false });
    expect((await run(bare)).stderr).to.include('migrate');
    expect((await run(bare)).status).to.equal(1);
    bare.app.close();
  });
});
