import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { formatTrailer, TRAILER_BYTES, trailerStart } from '#src/exchange/format.js';
import { openChangesFile } from '#src/exchange/read-file.js';
import { writeChangesFile } from '#src/exchange/write-file.js';
import { SyncError } from '#src/errors.js';
import { printedSeed, randomNumbers, runsOf } from '../random.js';
import { scratchFile, scratchFolder } from '../scratch.js';
import { addWords, createDatabaseFile, wordsOf, type DatabaseFile } from '../stand-ins/database-file.js';
import { exportTo, importFrom } from './replica-file.js';

/** Small pages, so that a file has several. */
const PAGE_ROWS = 5;

describe('a file of changes', () => {
  let ann: DatabaseFile;
  let bob: DatabaseFile;
  let path: string;
  let whole: Buffer;

  before(async () => {
    ann = await smallPages('ann');
    bob = await smallPages('bob');
    addWords(ann.app, ...Array.from({ length: 23 }, (_, i) => `a${i}`));
    path = join(scratchFolder(), 'ann.sync');
    await exportTo(ann.config, path);
    whole = readFileSync(path);
  });

  after(() => {
    ann.app.close();
    bob.app.close();
  });

  async function smallPages(node: string): Promise<DatabaseFile> {
    const made = await createDatabaseFile(node);
    return { ...made, config: { ...made.config, sync: { ...made.config.sync, pageSize: PAGE_ROWS } } };
  }

  /** The code that a file with this content is refused with; `accepted` where it is not. */
  async function verdict(content: Uint8Array): Promise<string> {
    try {
      await (await openChangesFile(scratchFile(content, 'changed.sync'))).close();
      return 'accepted';
    } catch (error) {
      if (error instanceof SyncError) return error.code;
      throw error;
    }
  }

  /** The file with another text in place of one of its header, and a checksum that fits. */
  function withHeader(from: string, to: string): Buffer {
    const end = whole.indexOf(0x0a) + 1;
    const header = whole.toString('utf8', 0, end).replace(from, to);
    const pages = 5;
    const start = trailerStart(pages);
    const body = Buffer.concat([
      Buffer.from(header),
      whole.subarray(end, -TRAILER_BYTES),
      Buffer.from(start),
    ]);
    const sha256 = createHash('sha256').update(body).digest('hex');
    return Buffer.concat([body, Buffer.from(formatTrailer(pages, sha256).slice(start.length))]);
  }

  it('is only for its owner to read, and is not overwritten', async () => {
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    const again = await exportTo(ann.config, path).catch((error: unknown) => error);
    expect(again).to.include({ code: 'file_exists' });
    expect(readFileSync(path).equals(whole)).to.equal(true);
  });

  it('has its pages in order, and says where the next begins', async () => {
    const file = await openChangesFile(path);
    const pages = [];
    for await (const { since, next, isLast } of file.read()) pages.push({ since, logId: next.logId, isLast });
    await file.close();
    expect(pages).to.have.length(5);
    expect(pages.map(({ isLast }) => isLast)).to.deep.equal([false, false, false, false, true]);
    expect(pages[0]?.since).to.equal('');
    expect(file.changes).to.equal(23);
    expect(file.end.logId).to.equal(pages.at(-1)?.logId);
  });

  it('is refused whatever single bit of it is another', async () => {
    const runs = runsOf({ suite: 700, soak: 20_000 });
    const random = randomNumbers(printedSeed(runs));
    const header = whole.indexOf(0x0a) + 1;
    const from = [0, header, whole.length - TRAILER_BYTES];
    const length = [header, whole.length - TRAILER_BYTES - header, TRAILER_BYTES];
    for (let run = 0; run < runs; run += 1) {
      // The three parts of the file in turn.
      const part = run % 3;
      const byte = (from[part] ?? 0) + Math.floor(random() * (length[part] ?? 0));
      const bit = Math.floor(random() * 8);
      const changed = Buffer.from(whole);
      changed[byte] = (changed[byte] ?? 0) ^ (1 << bit);
      expect(await verdict(changed), `bit ${bit} of byte ${byte}`).to.be.oneOf([
        'file_damaged',
        'file_foreign',
        'protocol_mismatch',
      ]);
    }
  });

  it('is refused wherever it breaks off, or goes on', async () => {
    const runs = runsOf({ suite: 150, soak: 2_000 });
    const random = randomNumbers(printedSeed(runs));
    for (let run = 0; run < runs; run += 1) {
      const length = run < 5 ? run : Math.floor(random() * whole.length);
      expect(await verdict(whole.subarray(0, length)), `${length} bytes`).to.be.oneOf([
        'file_damaged',
        'file_foreign',
      ]);
    }
    expect(await verdict(whole.subarray(0, -1))).to.equal('file_damaged');
    expect(await verdict(Buffer.concat([whole, Buffer.from('\n')]))).to.equal('file_damaged');
    expect(await verdict(Buffer.concat([whole, whole]))).to.equal('file_damaged');
  });

  it('is refused where it is of another format or protocol, or something else altogether', async () => {
    expect(await verdict(withHeader('"node":"ann"', '"node":"ann"'))).to.equal('accepted');
    expect(await verdict(withHeader('"protocol":1', '"protocol":2'))).to.equal('protocol_mismatch');
    expect(await verdict(withHeader('"format":1', '"format":2'))).to.equal('protocol_mismatch');
    expect(await verdict(withHeader('"node":"ann"', '"node":"cid"'))).to.equal('file_damaged');
    expect(await verdict(withHeader('"since":""', '"since":"no cursor"'))).to.equal('file_damaged');
    expect(await verdict(Buffer.from('PK\u0003\u0004 a zip file'))).to.equal('file_foreign');
    expect(await verdict(Buffer.alloc(0))).to.equal('file_foreign');
  });

  it('changes nothing where it is refused', async () => {
    const changed = Buffer.from(whole);
    changed[Math.floor(whole.length / 2)] = (changed[Math.floor(whole.length / 2)] ?? 0) ^ 1;
    const before = wordsOf(bob.app);
    const refused = await importFrom(bob.config, { path: scratchFile(changed, 'x.sync') }).catch(
      (error: unknown) => error,
    );
    expect(refused).to.include({ code: 'file_damaged' });
    expect(wordsOf(bob.app)).to.deep.equal(before);
    expect(bob.app.prepare("SELECT count(*) FROM _sync_peers WHERE name = 'ann'").pluck().get()).to.equal(0);
  });

  it('is refused by who wrote it, and where its clock is far ahead', async () => {
    const own = await importFrom(ann.config, { path }).catch((error: unknown) => error);
    expect(own).to.include({ code: 'file_is_own' });
    const created = /"created_ms":(\d+)/.exec(whole.toString('latin1'))?.[1] ?? '';
    const ahead = withHeader(created, String(Number(created) + 3_600_000));
    const refused = await importFrom(bob.config, { path: scratchFile(ahead, 'ahead.sync') }).catch(
      (error: unknown) => error,
    );
    expect(refused).to.include({ code: 'clock_skew' });
  });

  it('goes on after an interruption with the page that it had come to', async () => {
    await importFrom(bob.config, { path, stopAfter: 1 }).catch((error: unknown) => {
      expect(error).to.have.property('message', 'interrupted by the test');
    });
    expect(wordsOf(bob.app)).to.have.length(20);
    const rest = await importFrom(bob.config, { path });
    expect(rest).to.include({ pages: 1, received: 3, applied: 3 });
    expect(wordsOf(bob.app)).to.deep.equal(wordsOf(ann.app));
  });

  it('leaves nothing where writing it fails', async () => {
    const out = join(scratchFolder(), 'broken.sync');
    async function* pages() {
      yield { body: Buffer.from('{}'), sha256: 'x' };
      await Promise.reject(new SyncError('stand_in', 'the database went away'));
    }
    const signal = new AbortController().signal;
    const failed = await writeChangesFile(out, '{}\n', pages(), { force: false, signal }).catch(
      (error: unknown) => error,
    );
    expect(failed).to.include({ code: 'stand_in' });
    expect(readdirSync(dirname(out))).to.deep.equal([]);
    const nowhere = join(scratchFolder(), 'missing', 'x.sync');
    const unwritable = await exportTo(ann.config, nowhere).catch((error: unknown) => error);
    expect(unwritable).to.include({ code: 'file_unwritable' });
  });

  it('is refused as an export from a cursor that is not of this log', async () => {
    const out = join(scratchFolder(), 'since.sync');
    const refused = await exportTo(ann.config, out, 'abcd.1.ef').catch((error: unknown) => error);
    expect(refused).to.include({ code: 'since_invalid' });
    expect(readdirSync(dirname(out))).to.deep.equal([]);
  });
});
