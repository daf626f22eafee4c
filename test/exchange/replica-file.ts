import { exportChanges, type Exported } from '#src/exchange/export-changes.js';
import { importChanges, requireSuitable, type Imported } from '#src/exchange/import-changes.js';
import { openChangesFile } from '#src/exchange/read-file.js';
import type { Config } from '#src/config/config.js';
import { Reader } from '#src/threads/reader.js';
import { Writer } from '#src/threads/writer.js';

export interface ImportOf {
  readonly path: string;
  /** The import is interrupted once so many calls have applied something. */
  readonly stopAfter?: number;
}

/** Runs work on a database's two connections, without threads. */
export async function withConnections<T>(
  config: Config,
  work: (writer: Writer, reader: Reader) => Promise<T>,
): Promise<T> {
  const writer = new Writer(config);
  await writer.open();
  const reader = new Reader(config);
  await reader.open();
  try {
    return await work(writer, reader);
  } finally {
    await reader.close();
    await writer.close();
  }
}

export function exportTo(config: Config, out: string, since = ''): Promise<Exported> {
  const options = {
    out,
    since,
    force: false,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  };
  return withConnections(config, (writer, reader) =>
    exportChanges(config, { writer, reader, admit: () => Promise.resolve() }, options),
  );
}

export async function importFrom(
  config: Config,
  { path, stopAfter = Infinity }: ImportOf,
): Promise<Imported> {
  const file = await openChangesFile(path);
  const end = new AbortController();
  let steps = 0;
  const onPage = () => {
    steps += 1;
    if (steps >= stopAfter) end.abort(new Error('interrupted by the test'));
  };
  try {
    requireSuitable(file, config, Date.now());
    return await withConnections(config, (writer, reader) =>
      importChanges(
        file,
        { writer, reader, admit: () => Promise.resolve() },
        { onPage, onProgress: () => undefined, signal: end.signal },
      ),
    );
  } finally {
    await file.close();
  }
}
