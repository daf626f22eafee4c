import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { request } from 'undici';
import { SyncError } from '#src/errors.js';
import { keepSnapshots, snapshotFileOf, type SnapshotKeeper } from '#src/replica/snapshots.js';
import { scratchFolder } from '../scratch.js';
import { serveFeed, type ServedFeed } from './serve.js';

/** More than the buffers of two sockets hold. */
const BYTES = 24 * 1024 * 1024;
const KEY = 'k'.repeat(32);

describe('GET /sync/snapshot', () => {
  const path = join(scratchFolder(), 'app.db');
  const content = Buffer.alloc(BYTES, 'A snapshot. ');
  const sha256 = createHash('sha256').update(content).digest('hex');
  let keeper: SnapshotKeeper;
  let feed: ServedFeed;
  let builds: number;
  /** What the next snapshots wait for. */
  let ready: Promise<void>;

  async function serve(times: object = {}, parts: object = {}): Promise<void> {
    builds = 0;
    ready = Promise.resolve();
    keeper = keepSnapshots({
      config: { database: { path } } as Parameters<typeof keepSnapshots>[0]['config'],
      build: (file) => {
        builds += 1;
        const built = ready.then(() => {
          writeFileSync(file, content);
          return { bytes: BYTES, sha256 };
        });
        return { built, stop: () => Promise.resolve() };
      },
      fold: () => Promise.resolve(),
      admit: () => Promise.resolve(),
      times,
    });
    feed = await serveFeed({ snapshots: keeper, ...parts });
  }

  afterEach(async () => {
    await feed.close();
    await keeper.close();
    expect(existsSync(snapshotFileOf(path))).to.equal(false);
  });

  it('is no failure of this replica where the client sends what is no HTTP meanwhile', async () => {
    await serve();
    const socket = connect(Number(new URL(feed.url).port), '127.0.0.1');
    socket.write(
      'GET /sync/snapshot HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 3\r\n\r\nabc\0no HTTP\r\n\r\n',
    );
    socket.resume();
    await feed.log.until('a request ended with its connection');
    expect(feed.log.lines.filter(({ level }) => level === 'error')).to.deep.equal([]);
  });

  const get = (headers: Record<string, string> = {}, query = '', method: 'GET' | 'HEAD' = 'GET') =>
    request(`${feed.url}/sync/snapshot${query}`, { headers, method });

  async function bodyOf(answer: Awaited<ReturnType<typeof get>>): Promise<Buffer> {
    return Buffer.from(await answer.body.arrayBuffer());
  }

  it('removes what a crash has left', async () => {
    writeFileSync(snapshotFileOf(path), 'old');
    await serve();
    expect(existsSync(snapshotFileOf(path))).to.equal(false);
  });

  it('sends the file with its length and checksum, compressed only where that is asked for', async () => {
    await serve();
    const plain = await get();
    expect(plain.statusCode).to.equal(200);
    expect(plain.headers).to.include({
      'content-type': 'application/vnd.sqlite3',
      'content-length': String(BYTES),
      'x-snapshot-length': String(BYTES),
      'x-snapshot-sha256': sha256,
    });
    expect((await bodyOf(plain)).equals(content)).to.equal(true);
    const packed = await get({ 'accept-encoding': 'gzip' });
    expect(packed.headers['content-encoding']).to.equal('gzip');
    const body = await bodyOf(packed);
    expect(body.length).to.be.lessThan(BYTES / 10);
    expect(gunzipSync(body).equals(content)).to.equal(true);
    expect(builds).to.equal(2);
  });

  it('goes on from a byte of the snapshot that is named, and sends another one whole', async () => {
    await serve();
    const head = await get({}, '', 'HEAD');
    expect(head.headers['content-length']).to.equal(String(BYTES));
    const etag = String(head.headers.etag);
    const rest = await get({ range: `bytes=${BYTES - 5}-`, 'if-range': etag, 'accept-encoding': 'gzip' });
    expect(rest.statusCode).to.equal(206);
    expect(rest.headers['content-range']).to.equal(`bytes ${BYTES - 5}-${BYTES - 1}/${BYTES}`);
    expect((await bodyOf(rest)).equals(content.subarray(-5))).to.equal(true);
    const beyond = await get({ range: `bytes=${BYTES}-`, 'if-range': etag });
    expect(beyond.statusCode).to.equal(416);
    await beyond.body.dump();
    expect(builds).to.equal(1);
    const other = await get({ range: 'bytes=5-', 'if-range': '"gone"' });
    expect(other.statusCode).to.equal(200);
    expect((await bodyOf(other)).length).to.equal(BYTES);
    expect(builds).to.equal(2);
  });

  it('gives one snapshot to all who ask while it is made', async () => {
    await serve();
    let finish: () => void = () => undefined;
    ready = new Promise((resolve) => (finish = resolve));
    const asked = [get(), get(), get()];
    finish();
    for (const answer of await Promise.all(asked)) {
      expect(answer.statusCode).to.equal(200);
      await answer.body.dump({ limit: BYTES * 2 });
    }
    expect(builds).to.equal(1);
  });

  it('asks to come again while it is made for longer, and then says what became of it', async () => {
    await serve({ wait: 20 });
    let finish: () => void = () => undefined;
    ready = new Promise((resolve) => (finish = resolve));
    const early = await get();
    expect([early.statusCode, early.headers['retry-after']]).to.deep.equal([503, '1']);
    expect(await early.body.json()).to.have.nested.property('error.code', 'snapshot_building');
    finish();
    const later = await get();
    expect(later.statusCode).to.equal(200);
    await later.body.dump({ limit: BYTES * 2 });
    expect(builds).to.equal(1);

    let fail: (error: Error) => void = () => undefined;
    ready = new Promise((_resolve, reject) => (fail = reject));
    expect((await get()).statusCode).to.equal(503);
    fail(new SyncError('snapshot_failed', 'it has a function of the application'));
    const failed = await get();
    expect(await failed.body.json()).to.have.nested.property('error.code', 'snapshot_failed');
    expect(builds).to.equal(2);
  });

  it('cuts off who takes nothing any more, and has others wait for the file meanwhile', async () => {
    await serve({ share: 0 }, { silenceMs: 1000 });
    const { port } = new URL(feed.url);
    const stalled = connect(Number(port), '127.0.0.1');
    stalled.write('GET /sync/snapshot HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    await once(stalled, 'readable');
    const busy = await get();
    expect([busy.statusCode, busy.headers['retry-after']]).to.deep.equal([429, '10']);
    await busy.body.dump();
    let received = 0;
    const closed = once(stalled, 'close');
    // Nothing is read until the file is free.
    let next = await get();
    for (; next.statusCode === 429; next = await get()) await next.body.dump();
    expect(next.statusCode).to.equal(200);
    await next.body.dump({ limit: BYTES * 2 });
    stalled.on('data', (chunk: Buffer) => (received += chunk.length)).on('error', () => undefined);
    await closed;
    expect(received).to.be.lessThan(BYTES);
  });

  it('removes the file when nobody has fetched from it for a while', async () => {
    await serve({ keep: 50 });
    await (await get({}, '', 'HEAD')).body.dump();
    while (existsSync(snapshotFileOf(path))) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('needs a key, and refuses a replica of its own name and an unknown parameter', async () => {
    await serve({}, { apiKeys: [KEY] });
    const codeOf = async (headers: Record<string, string>, query = '') => {
      const answer = await get(headers, query);
      return [answer.statusCode, ((await answer.body.json()) as { error: { code: string } }).error.code];
    };
    expect(await codeOf({})).to.deep.equal([401, 'unauthorized']);
    expect(await codeOf({ 'x-api-key': 'w'.repeat(32) })).to.deep.equal([401, 'unauthorized']);
    expect(await codeOf({ 'x-api-key': KEY }, '?node=desktop')).to.deep.equal([409, 'own_node']);
    expect(await codeOf({ 'x-api-key': KEY }, '?tables=words')).to.deep.equal([400, 'bad_query']);
    expect(builds).to.equal(0);
  });
});
