import { createRequire } from 'node:module';
import type winston from 'winston';
import type { LogLevel } from '../config/config.js';
import { messageOf, SyncError } from '../errors.js';
import { escapeControls } from './escape.js';
import { jsonLine, textLine } from './line.js';
import { rotatedFile } from './rotated-file.js';

/**
 * `logger.info('message', { peer: 'macbook', durationMs: 12 })`: fields follow the message. An `error` field
 * takes what was thrown: its code, message and hint are shown, its stack only at level debug.
 */
export type Logger = winston.Logger;

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  /** Absolute path of a file that is rotated; null: no file. */
  readonly file: string | null;
  /** A file above this size is set aside. */
  readonly maxSizeBytes?: number;
  /** Files kept, the current one among them. */
  readonly maxFiles?: number;
}

const require = createRequire(import.meta.url);

const LEVELS: Record<LogLevel, number> = { error: 0, warn: 1, info: 2, debug: 3 };

/** Makes a logger that writes to `stream` and, where `options.file` is set, to that file too. */
export function createLogger(options: LogOptions, stream: NodeJS.WritableStream): Logger {
  // Only now: most commands have nothing to log, and it takes a tenth of their time to load.
  const { createLogger: createWinston, format, transports } = require('winston') as typeof winston;
  const withStack = options.level === 'debug';
  const toLine = options.format === 'json' ? jsonLine : textLine;
  const streams = options.file === null ? [stream] : [stream, openFile(options.file, options, stream)];
  return createWinston({
    levels: LEVELS,
    level: options.level,
    format: format.printf((info) => toLine(info, { nowMs: Date.now(), withStack })),
    transports: streams.map((each) => new transports.Stream({ stream: each, eol: '\n' })),
  });
}

function openFile(file: string, options: LogOptions, stream: NodeJS.WritableStream): NodeJS.WritableStream {
  try {
    return rotatedFile({
      file,
      maxSizeBytes: options.maxSizeBytes ?? Infinity,
      maxFiles: options.maxFiles ?? 1,
      onFault: (error) => {
        stream.write(`sqlite-p2p-sync: ${escapeControls(`${file} can't be written: ${messageOf(error)}`)}\n`);
      },
    });
  } catch (error) {
    throw new SyncError('log_file_unusable', `log.file: ${file} can't be written: ${messageOf(error)}`, {
      hint: 'Name a file in a folder that this user may write to, or set log.file to null.',
      cause: error,
    });
  }
}
