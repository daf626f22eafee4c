import { once, EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { createLogger, type Logger } from '#src/log/logger.js';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A real logger at level debug whose lines are kept. */
export class LogRecorder {
  readonly lines: LogLine[] = [];
  readonly logger: Logger;
  readonly #events = new EventEmitter();

  constructor() {
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.lines.push(JSON.parse(chunk.toString('utf8')) as LogLine);
        this.#events.emit('line');
        done();
      },
    });
    this.logger = createLogger({ level: 'debug', format: 'json', file: null }, stream);
  }

  /** The lines with this message, of one level or all. */
  of(message: string, level?: string): LogLine[] {
    return this.lines.filter((line) => line.message === message && (level ?? line.level) === line.level);
  }

  /** Resolves when there are this many lines with this message, of one level or all. */
  async until(message: string, count = 1, level?: string): Promise<LogLine> {
    for (;;) {
      const found = this.of(message, level)[count - 1];
      if (found !== undefined) return found;
      await once(this.#events, 'line');
    }
  }
}
