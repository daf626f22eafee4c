import { truncateSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import type { CheckpointMode } from '#src/database/wal.js';
import type { CheckpointResponse } from '#src/threads/calls.js';
import { createWalCare } from '#src/replica/wal.js';
import { scratchFile } from '../scratch.js';
import { testConfig } from '../stand-ins/config.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';

describe('the care for the WAL', () => {
  let path: string;
  let calls: string[];
  let busy: boolean;
  let nowMs: number;
  let log: LogRecorder;
  beforeEach(() => {
    path = scratchFile('', 'app.db');
    calls = [];
    busy = false;
    nowMs = 0;
    log = new LogRecorder();
  });

  const writer = {
    checkpoint: (mode: CheckpointMode): Promise<CheckpointResponse> => {
      calls.push(mode);
      return Promise.resolve({ busy, walPages: 0, checkpointedPages: 0, walBytes: 0 });
    },
    optimize: () => {
      calls.push('optimize');
      return Promise.resolve();
    },
  };
  const care = () => {
    const { database } = testConfig({
      database: { path, checkpointIntervalMs: 1000, walRestartAboveBytes: 100, walWarnAboveBytes: 200 },
    });
    return createWalCare({ database, writer, logger: log.logger, now: () => nowMs });
  };
  const walOf = (bytes: number) => {
    writeFileSync(`${path}-wal`, '');
    truncateSync(`${path}-wal`, bytes);
  };

  it('writes back without waiting for anyone', async () => {
    await care().checkpoint();
    expect(calls).to.deep.equal(['PASSIVE']);
  });

  it('leaves a small WAL, and a database without one, as they are', async () => {
    const wal = care();
    await wal.look();
    walOf(100);
    await wal.look();
    expect(calls).to.deep.equal([]);
  });

  it('restarts a large one, and again only when it has grown beyond that', async () => {
    const wal = care();
    walOf(101);
    await wal.look();
    await wal.look();
    expect(calls).to.deep.equal(['RESTART']);
    walOf(150);
    await wal.look();
    expect(calls).to.deep.equal(['RESTART', 'RESTART']);
  });

  it('does not stop the writers again and again for a reader that holds it', async () => {
    const wal = care();
    busy = true;
    walOf(101);
    await wal.look();
    nowMs = 999;
    await wal.look();
    expect(calls).to.have.length(1);
    nowMs = 1000;
    await wal.look();
    expect(calls).to.have.length(2);
  });

  it('warns once of a very large one', async () => {
    const wal = care();
    walOf(201);
    await wal.look();
    await wal.look();
    expect(log.lines.filter(({ level }) => level === 'warn')).to.have.length(1);
  });

  it('truncates and optimizes at night', async () => {
    await care().maintain();
    expect(calls).to.deep.equal(['TRUNCATE', 'optimize']);
  });
});
