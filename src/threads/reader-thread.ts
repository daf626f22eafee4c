import { parentPort, workerData } from 'node:worker_threads';
import type { Config } from '../config/config.js';
import { answerCalls } from './channel.js';
import { Reader } from './reader.js';

if (parentPort === null) throw new TypeError('Expected to run in a worker thread');
answerCalls(parentPort, () => new Reader(workerData as Config));
