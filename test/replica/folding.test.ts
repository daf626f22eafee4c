import { once } from 'node:events';
import { expect } from 'chai';
import { createFolding } from '#src/replica/folding.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { MemoryDatabase } from '../stand-ins/memory-database.js';

describe('the fold that all share', () => {
  const database = new MemoryDatabase('desktop');
  let end: AbortController;

  beforeEach(() => {
    end = new AbortController();
    database.folds = 0;
    database.failures.clear();
  });

  afterEach(() => {
    end.abort();
  });

  it('runs once for all who ask while one runs, and after they asked', async () => {
    const fold = createFolding(database.writer, new LogRecorder().logger, end.signal);
    const release = database.lock();
    const first = fold();
    const others = [fold(), fold(), fold()];
    expect(database.folds).to.equal(1);
    release();
    await first;
    await Promise.all(others);
    expect(database.folds).to.equal(2);
    await fold();
    expect(database.folds).to.equal(3);
  });

  it('logs a failure once until it works again, and never rejects', async () => {
    const log = new LogRecorder();
    const fold = createFolding(database.writer, log.logger, end.signal);
    database.failures.set('fold', new Error('database is locked'));
    await fold();
    await fold();
    expect(log.of('fold failed', 'warn')).to.have.length(1);
    database.failures.clear();
    await fold();
    database.failures.set('fold', new Error('database is locked'));
    await fold();
    expect(log.of('fold failed', 'warn')).to.have.length(2);
  });

  it('is tried again after a failure, although nobody asks', async () => {
    const log = new LogRecorder();
    const fold = createFolding(database.writer, log.logger, end.signal);
    database.failures.set('fold', new Error('database is locked'));
    await fold([7]);
    database.failures.clear();
    const [contradicted] = (await once(database.events, 'fold')) as [number[]];
    expect(contradicted).to.deep.equal([7]);
  });

  it('goes on by itself for as long as each takes in much', async () => {
    const fold = createFolding(database.writer, new LogRecorder().logger, end.signal);
    database.toFold(100_000, 5_000, 10);
    await fold();
    await once(database.events, 'fold');
    await once(database.events, 'fold');
    expect(database.folds).to.equal(3);
    const another = once(database.events, 'fold').then(() => 'another');
    const later = new Promise((resolve) => setTimeout(resolve, 200, 'nothing'));
    expect(await Promise.race([another, later])).to.equal('nothing');
  });
});
