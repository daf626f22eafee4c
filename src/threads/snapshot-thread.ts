import { parentPort, workerData } from 'node:worker_threads';
import type { Config } from '../config/config.js';
import { buildSnapshot } from '../snapshot/build.js';
import { answerCalls } from './channel.js';
import type { SnapshotCalls } from './calls.js';

if (parentPort === null) throw new TypeError('Expected to run in a worker thread');
const config = workerData as Config;
answerCalls(parentPort, config.database.path, (): SnapshotCalls => ({
  build: (file) => buildSnapshot(config, file),
}));
