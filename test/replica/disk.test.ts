import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { createDiskGuard } from '#src/replica/disk.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';
import { scratchFile } from '../scratch.js';

describe('the disk guard', () => {
  let free: number;
  let log: LogRecorder;
  let rooms: number;
  beforeEach(() => {
    free = 1000;
    rooms = 0;
    log = new LogRecorder();
  });

  const guard = () =>
    createDiskGuard('/nowhere/app.db', 100, {
      logger: log.logger,
      onRoom: () => (rooms += 1),
      freeBytes: () => Promise.resolve(free),
    });

  it('lets changes in while there is room', async () => {
    const disk = guard();
    await disk.admit();
    expect(disk).to.include({ freeBytes: 1000, low: false });
  });

  it('lets nothing in without room, and warns once', async () => {
    const disk = guard();
    free = 99;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const error = await disk.admit().catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(SyncError).and.to.have.property('code', 'low_disk');
    }
    expect(disk.low).to.equal(true);
    expect(log.of('the disk is almost full: pulling stops', 'warn')).to.have.length(1);
  });

  it('says when there is room again', async () => {
    const disk = guard();
    free = 99;
    await disk.check();
    free = 100;
    await disk.check();
    await disk.admit();
    expect(rooms).to.equal(1);
    expect(log.of('the disk has room again: pulling goes on', 'info')).to.have.length(1);
  });

  it('asks the system for the disk of the database', async () => {
    const disk = createDiskGuard(scratchFile('', 'app.db'), 0, {
      logger: log.logger,
      onRoom: () => undefined,
    });
    await disk.check();
    expect(disk.freeBytes).to.be.greaterThan(0);
  });

  it('lets changes in where the system does not tell', async () => {
    const disk = createDiskGuard('/no/such/folder/app.db', 1, {
      logger: log.logger,
      onRoom: () => undefined,
    });
    await disk.admit();
    expect(disk).to.include({ freeBytes: null, low: false });
  });
});
