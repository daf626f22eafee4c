import { parentPort, workerData } from 'node:worker_threads';
import type { Config } from '../config/config.js';
import { answerCalls } from './channel.js';
import { Reader } from './reader.js';

if (parentPort === null) throw new TypeError('Expected to run in a worker thread');
const config = workerData as Config;
answerCalls(parentPort, config.database.path, () => new Reader(config));
