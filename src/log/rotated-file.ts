import { appendFileSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';

export interface RotatedFileOptions {
  /** Absolute. */
  readonly file: string;
  /** The file is set aside before it would grow above this. */
  readonly maxSizeBytes: number;
  /** Files kept, the current one among them; `sync.log.1` is the newest of the others. */
  readonly maxFiles: number;
  /** Is told of the first of a row of failures (a full disk): a log must not end the program that it tells of. */
  readonly onFault: (error: unknown) => void;
}

/**
 * A stream whose every write is in the file when it returns: the last lines before a crash are those that matter.
 * Winston's own file transport rotates asynchronously; a burst of lines, or the end of the process, in that
 * moment loses what it still holds. Throws where the file can't be written at the start.
 */
export function rotatedFile(options: RotatedFileOptions): Writable {
  mkdirSync(dirname(options.file), { recursive: true });
  appendFileSync(options.file, '');
  let sizeBytes = statSync(options.file).size;
  let isFailing = false;

  function append(line: Buffer): void {
    if (sizeBytes > 0 && sizeBytes + line.length > options.maxSizeBytes) {
      setAside(options.file, options.maxFiles);
      sizeBytes = 0;
    }
    appendFileSync(options.file, line);
    sizeBytes += line.length;
  }

  return new Writable({
    decodeStrings: true,
    write(line: Buffer, _encoding, done) {
      try {
        append(line);
        isFailing = false;
      } catch (error) {
        if (!isFailing) options.onFault(error);
        isFailing = true;
      }
      done();
    },
  });
}

/** `sync.log` becomes `sync.log.1`, that `sync.log.2`, and so on; the oldest goes. */
function setAside(file: string, maxFiles: number): void {
  const name = (age: number) => (age === 0 ? file : `${file}.${age}`);
  rmSync(name(maxFiles - 1), { force: true });
  for (let age = maxFiles - 2; age >= 0; age--) {
    try {
      renameSync(name(age), name(age + 1));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
