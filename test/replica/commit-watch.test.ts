import { EventEmitter, once } from 'node:events';
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

  it('looks soon after a hint, and not before the time where there is none', async () => {
    let hint: () => void = () => undefined;
    let asked = 0;
    let armed = 0;
    const events = new EventEmitter();
    const reader = {
      dataVersion: async () => {
        asked += 1;
        events.emit('asked');
        return database.reader.dataVersion();
      },
    };
    const commits = watchCommits(reader, new LogRecorder().logger, end.signal, (onHint) => {
      hint = onHint;
      return () => (armed += 1);
    });
    await new Promise(setImmediate);
    const elapsedMs: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const waiting = commits.after(commits.version, never());
      // so long after the last commit that the next may be seen at once
      for (let quiet = 0; quiet < 2; quiet += 1) await once(events, 'asked');
      const startedMs = performance.now();
      database.insert('a');
      hint();
      await waiting;
      elapsedMs.push(performance.now() - startedMs);
    }
    expect(elapsedMs.sort((a, b) => a - b)[4]).to.be.lessThan(15);
    expect(armed, 'a hint was asked for before each look').to.equal(asked);
    const before = asked;
    hint();
    hint();
    expect(asked).to.equal(before);
  });

  it('follows hints also while who waited is about to come back', async () => {
    let hint: () => void = () => undefined;
    const { logger } = new LogRecorder();
    const commits = watchCommits(database.reader, logger, end.signal, (onHint) => {
      hint = onHint;
      return () => undefined;
    });
    await new Promise(setImmediate);
    const waiting = commits.after(commits.version, never());
    database.insert('a');
    hint();
    await waiting;
    const startedMs = performance.now();
    const told = new Promise<void>((resolve) => {
      commits.onCommit(resolve);
    });
    database.insert('b');
    hint();
    await told;
    expect(performance.now() - startedMs).to.be.lessThan(400);
  });

  it('looks no more often for many commits than for few', async () => {
    let hint: () => void = () => undefined;
    const commits = watchCommits(database.reader, new LogRecorder().logger, end.signal, (onHint) => {
      hint = onHint;
      return () => undefined;
    });
    await new Promise(setImmediate);
    const startedMs = performance.now();
    const storm = setInterval(() => {
      database.insert('a');
      hint();
    }, 1);
    const from = commits.version;
    for (let seen = 0; seen < 10; seen += 1) await commits.after(commits.version, never());
    clearInterval(storm);
    expect(performance.now() - startedMs).to.be.greaterThan(170);
    expect(commits.version).to.equal(from + 10);
  });
});
