import { expect } from 'chai';
import { watchCommits } from '#src/replica/commit-watch.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { MemoryDatabase } from '../stand-ins/memory-database.js';

describe('the watch for commits', () => {
  let database: MemoryDatabase;
  let end: AbortController;
  beforeEach(() => {
    database = new MemoryDatabase('desktop');
    end = new AbortController();
  });
  afterEach(() => {
    end.abort();
  });

  const watch = () => watchCommits(database.reader, new LogRecorder().logger, end.signal);
  const never = () => new AbortController().signal;

  it('wakes everyone who waits, soon', async () => {
    const commits = watch();
    await new Promise(setImmediate);
    const { version } = commits;
    const waiting = [commits.after(version, never()), commits.after(version, never())];
    const startedMs = Date.now();
    database.insert('a');
    await Promise.all(waiting);
    expect(Date.now() - startedMs).to.be.lessThan(400);
    expect(commits.version).to.be.greaterThan(version);
  });

  it('does not wait for a commit that was seen already', async () => {
    const commits = watch();
    await new Promise(setImmediate);
    const { version } = commits;
    database.insert('a');
    await commits.after(version, never());
    await commits.after(version, never());
  });

  it('tells its listeners', async () => {
    const commits = watch();
    await new Promise(setImmediate);
    const told = new Promise<void>((resolve) => {
      commits.onCommit(resolve);
    });
    database.insert('a');
    await told;
  });

  it('tells of its first look too: what was written just before it would go unseen', async () => {
    const told = new Promise<void>((resolve) => {
      watch().onCommit(resolve);
    });
    await told;
  });

  it('lets go of who waits when told to, and when the replica stops', async () => {
    const commits = watch();
    const one = new AbortController();
    const first = commits.after(commits.version, one.signal);
    const second = commits.after(commits.version, never());
    one.abort();
    await first;
    end.abort();
    await second;
    await commits.after(commits.version, never());
  });

  it('goes on after the database failed', async () => {
    const commits = watch();
    await new Promise(setImmediate);
    database.failures.set('dataVersion', new Error('disk I/O error'));
    const waiting = commits.after(commits.version, never());
    database.insert('a');
    await new Promise((resolve) => setTimeout(resolve, 60));
    database.failures.clear();
    await waiting;
  });
});
