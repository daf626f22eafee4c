import { Worker } from 'node:worker_threads';
import type { Config } from '../config/config.js';
import type { OpenResponse, ReaderCalls, WriterCalls } from './calls.js';
import { callThread } from './channel.js';

export interface Threads extends OpenResponse {
  readonly writer: WriterCalls;
  readonly reader: ReaderCalls;
}

/** Opens the database in a thread that writes and one that reads. Rejects where it can't be used, or is not migrated. */
export async function openThreads(config: Config): Promise<Threads> {
  const writer = callThread<WriterCalls>(startThread('writer-thread', config), [
    'open',
    'fold',
    'apply',
    'resetCursor',
    'acknowledge',
    'checkpoint',
    'optimize',
    'close',
  ]);
  const { renewed } = await writer.open();
  try {
    return { writer, reader: await openReader(config), renewed };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** Opens the database in a thread that only reads. */
export async function openReader(config: Config): Promise<ReaderCalls> {
  const reader = callThread<ReaderCalls>(startThread('reader-thread', config), [
    'open',
    'page',
    'status',
    'cursorOf',
    'dataVersion',
    'close',
  ]);
  await reader.open();
  return reader;
}

function startThread(name: 'writer-thread' | 'reader-thread', config: Config): Worker {
  return new Worker(new URL(`./${name}.js`, import.meta.url), { workerData: config });
}
