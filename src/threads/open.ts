import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Config } from '../config/config.js';
import type { OpenResponse, ReaderCalls, WriterCalls } from './calls.js';
import { callThread } from './channel.js';

export interface Threads extends OpenResponse {
  readonly writer: WriterCalls;
  readonly reader: ReaderCalls;
  /** Resolves when one of the two threads has ended, closed or not. */
  readonly ended: Promise<unknown>;
}

/** Opens the database in a thread that writes and one that reads. Rejects where it can't be used, or is not migrated. */
export async function openThreads(config: Config): Promise<Threads> {
  const writerThread = startThread('writer-thread', config);
  const writer = callThread<WriterCalls>(writerThread, [
    'open',
    'fold',
    'apply',
    'resetCursor',
    'putBackCursor',
    'rewound',
    'acknowledge',
    'handOut',
    'retryDue',
    'resolve',
    'retry',
    'prune',
    'checkpoint',
    'optimize',
    'close',
  ]);
  // It loads its program while the writer opens the file; it opens it after the writer has.
  const readerThread = startThread('reader-thread', config);
  const { renewal } = await writer.open().catch(async (error: unknown) => {
    await readerThread.terminate();
    throw error;
  });
  try {
    const reader = callThread<ReaderCalls>(readerThread, [
      'open',
      'page',
      'status',
      'identity',
      'conflicts',
      'held',
      'changelogTail',
      'tables',
      'danglingReferences',
      'news',
      'pullStart',
      'tableShapes',
      'stretch',
      'list',
      'states',
      'dataVersion',
      'close',
    ]);
    await reader.open();
    const ended = Promise.race([once(writerThread, 'exit'), once(readerThread, 'exit')]);
    return { writer, reader, renewal, ended };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

function startThread(name: 'writer-thread' | 'reader-thread', config: Config): Worker {
  return new Worker(new URL(`./${name}.js`, import.meta.url), { workerData: config });
}
