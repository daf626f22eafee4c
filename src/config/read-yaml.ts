import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { messageOf, SyncError } from '../errors.js';
import { configError } from './faults.js';

/** Reads a YAML file into plain values. Throws a SyncError with exit code 2, with line and column of a syntax error. */
export function readYaml(file: string): unknown {
  const lineCounter = new LineCounter();
  // prettyErrors would quote the file's lines, and with them a key that was pasted there
  const document = parseDocument(readText(file), { lineCounter, prettyErrors: false, stringKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    // the first only: the others mostly follow from it
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw configError(file, [
      {
        path: [],
        message: `line ${line}, column ${col}: ${withoutQuotation(error.message)}`,
        code: 'config_syntax',
        hint: 'Check the indentation and quotes there; within { } or [ ], ${NAME} needs quotes.',
      },
    ]);
  }
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw configError(file, [{ path: [], message: messageOf(error) }]);
  }
}

function readText(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new SyncError('config_missing', `there is no configuration file ${file}`, {
        exitCode: 2,
        hint: 'Make one with sqlite-p2p-sync init --db FILE, or name another with --config FILE.',
        cause: error,
      });
    }
    throw new SyncError('config_unreadable', `${file} can't be read: ${messageOf(error)}`, {
      exitCode: 2,
      hint: 'It must be a file in UTF-8 that this user may read.',
      cause: error,
    });
  }
}

/** The parser quotes what it stumbled on, which may be a key. */
function withoutQuotation(message: string): string {
  const [sentence = ''] = message.split('\n');
  return sentence.replace(/: ".*$/, '');
}
