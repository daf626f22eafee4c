import { parentPort, workerData } from 'node:worker_threads';
import { makeBackup } from '../backup/make-backup.js';
import type { Config } from '../config/config.js';
import type { BackupCalls } from './calls.js';
import { answerCalls } from './channel.js';

if (parentPort === null) throw new TypeError('Expected to run in a worker thread');
const config = workerData as Config;
answerCalls(parentPort, config.database.path, (): BackupCalls => ({
  make: (file) => makeBackup(config, file),
}));
