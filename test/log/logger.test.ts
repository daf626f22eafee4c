import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import { createLogger, type LogOptions } from '#src/log/logger.js';
import { Captured } from '../cli/captured.js';
import { scratchFile, scratchFolder } from '../scratch.js';
import { thrownBy } from '../thrown.js';

const TEXT: LogOptions = { level: 'info', format: 'text', file: null };

function logged(options: LogOptions, message: string, fields: Record<string, unknown> = {}): string {
  const stream = new Captured();
  createLogger(options, stream).info(message, fields);
  return stream.text;
}

describe('The log', () => {
  it('writes time, level, message and fields on one line', () => {
    expect(logged(TEXT, 'pulled', { peer: 'macbook', changes: 9, note: 'two words', none: null })).to.match(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info {2}pulled peer=macbook changes=9 note="two words" none=null\n$/,
    );
  });

  it('writes one JSON object per line', () => {
    const line = logged({ ...TEXT, format: 'json' }, 'pulled', { peer: 'macbook', big: 2n ** 63n });
    expect(JSON.parse(line)).to.include({
      level: 'info',
      message: 'pulled',
      peer: 'macbook',
      big: '9223372036854775808',
    });
    expect(line.indexOf('\n')).to.equal(line.length - 1);
  });

  it('leaves out what is below its level', () => {
    const stream = new Captured();
    const logger = createLogger({ ...TEXT, level: 'warn' }, stream);
    logger.info('quiet');
    logger.warn('loud');
    expect(stream.text).to.contain('loud').and.not.to.contain('quiet');
  });

  it('cannot be made to show a line, a colour or an order of text that nobody logged', () => {
    const nasty = 'a\r\n2030-01-01 error forged\u001b[31m\u009b31m\u2028\u202e\u0000';
    for (const format of ['text', 'json'] as const) {
      const line = logged({ ...TEXT, format }, nasty, { table: nasty, [nasty]: 1 });
      expect(line.slice(0, -1), format).to.match(/^[\x20-\x7e]+$/);
      expect(line.endsWith('\n')).to.equal(true);
    }
  });

  it('shows code and hint of an error, and its stack at debug only', () => {
    const error = new SyncError('peer_unreachable', 'no answer', { hint: 'Start it.' });
    const line = logged(TEXT, 'pull failed', { error });
    expect(line).to.contain('error="no answer" errorCode=peer_unreachable errorHint="Start it."');
    expect(line).not.to.contain('logger.test.ts');
    expect(logged({ ...TEXT, level: 'debug' }, 'pull failed', { error })).to.contain('logger.test.ts');
    expect(logged({ ...TEXT, format: 'json' }, 'x', { error, nested: { error } })).to.contain('"no answer"');
  });

  it('survives fields that JSON cannot write', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(logged(TEXT, 'x', { circle })).to.contain('x circle=');
    expect(logged({ ...TEXT, format: 'json' }, 'x', { circle })).to.contain('"message":"x"');
  });

  it('writes to a file that is set aside by size, loses no line of a burst, and keeps so many', () => {
    const file = join(scratchFolder(), 'logs', 'sync.log');
    const logger = createLogger({ ...TEXT, file, maxSizeBytes: 2000, maxFiles: 3 }, new Captured());
    for (let index = 0; index < 100; index++) logger.info(`line ${index} ${'x'.repeat(80)}`);
    const files = ['sync.log.2', 'sync.log.1', 'sync.log'];
    expect(readdirSync(join(file, '..')).sort()).to.deep.equal([...files].sort());
    const texts = files.map((name) => readFileSync(join(file, '..', name), 'utf8'));
    for (const text of texts) expect(text.length).to.be.at.most(2000);
    const numbers = [...texts.join('').matchAll(/line (\d+)/g)].map((match) => Number(match[1]));
    const first = numbers[0] ?? 0;
    expect(numbers).to.deep.equal(Array.from({ length: 100 - first }, (_, index) => first + index));
  });

  it('goes on in a file that is there, and with one file starts over', () => {
    const file = scratchFile('before\n', 'sync.log');
    const options = { ...TEXT, file, maxSizeBytes: 200, maxFiles: 1 };
    createLogger(options, new Captured()).info('after');
    expect(readFileSync(file, 'utf8')).to.match(/^before\n.* after\n$/);
    createLogger(options, new Captured()).info('y'.repeat(170));
    expect(readFileSync(file, 'utf8')).to.match(/^[^b].* y+\n$/);
    expect(readdirSync(join(file, '..'))).to.deep.equal(['sync.log']);
  });

  it('says once, not with every line, that its file can no longer be written, and goes on when it can', () => {
    const folder = join(scratchFolder(), 'logs');
    const file = join(folder, 'sync.log');
    const stream = new Captured();
    const logger = createLogger({ ...TEXT, file }, stream);
    rmSync(folder, { recursive: true });
    logger.info('one');
    logger.info('two');
    expect(stream.text.match(/can't be written/g)).to.have.length(1);
    expect(stream.text).to.contain(' one\n').and.to.contain(' two\n');
    mkdirSync(folder);
    logger.info('three');
    expect(readFileSync(file, 'utf8')).to.contain('three');
  });

  it('says at once that its file cannot be written', () => {
    const folder = scratchFolder();
    mkdirSync(join(folder, 'sync.log'));
    const error = thrownBy(() => createLogger({ ...TEXT, file: join(folder, 'sync.log') }, new Captured()));
    expect(error.code).to.equal('log_file_unusable');
    expect(error.message).to.contain('sync.log');
  });
});
