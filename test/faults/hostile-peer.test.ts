import type { ServerResponse } from 'node:http';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { asNode, servePeer, type PeerServer } from '../pull/peer-server.js';
import { startCli } from '../replication/command-line.js';
import { countOf, execute, expectSameContent, queryRow, withDatabase } from '../replication/content.js';
import { ReplicaGroup, until, type LogLine, type Replica } from '../replication/group.js';
import { createDatabaseFile } from '../stand-ins/database-file.js';
import { answerOf, pageAfter, type JsonObject } from './bad-pages.js';
import { peakMemoryMiB } from './peak-memory.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT NOT NULL, updated_at INTEGER);
  CREATE TABLE settings (id TEXT PRIMARY KEY, english TEXT);
  INSERT INTO settings VALUES ('theme', 'dark');
`;
const STAMP = 1_704_326_400_000;
/** What an answer of any size costs a daemon at most. It needs some 150 for itself. */
const MAX_MEMORY_MIB = 1_000;

type Answer = (since: string, response: ServerResponse) => void;

/** A row of eve's as it should be. */
function row(id: string, parts: JsonObject = {}, record: JsonObject = {}): JsonObject {
  return {
    table: 'words',
    operation: 'upsert',
    key: [id],
    stamp: STAMP,
    origin: 'eve@e0',
    fingerprint: '0123456789abcdef',
    record: { id, english: 'by eve', updated_at: STAMP, ...record },
    ...parts,
  };
}

function send(response: ServerResponse, page: unknown): void {
  const { headers, body } = answerOf(page);
  response.writeHead(200, { ...headers }).end(body);
}

describe('a peer that has the key and is hostile', function () {
  this.timeout(60_000);
  let group: ReplicaGroup;
  let ann: Replica;
  let bob: Replica;
  let eve: PeerServer;
  let answer: Answer;
  let words = 0;

  const honest: Answer = (since, response) => {
    send(response, pageAfter(since, []));
  };

  before(async () => {
    answer = honest;
    eve = await servePeer(
      asNode('eve', (request, response) => {
        answer(new URL(request.url ?? '', 'http://eve').searchParams.get('since') ?? '', response);
      }),
    );
    group = await ReplicaGroup.create({
      tables: [{ name: 'words', timestamp_column: 'updated_at' }],
      peers: { ann: ['bob', 'eve'], bob: ['ann'], eve: [] },
      route: (_from, to, port) => Promise.resolve(to === 'eve' ? eve.port : port),
      settings: { sync: { interval: '300ms' }, network: { request_timeout: '1s' } },
    });
    [ann, bob] = [group.replica('ann'), group.replica('bob')];
    for (const replica of [ann, bob]) {
      replica.create(SCHEMA);
      await replica.join();
      await replica.start();
    }
  });

  after(async () => {
    await group?.remove();
    await eve?.close();
  });

  afterEach(async () => {
    answer = honest;
    await pulledFromEve();
    await bob.pull('ann');
    expect(queryRow(ann.database, 'SELECT * FROM settings')).to.deep.equal(['theme', 'dark']);
    expectSameContent([ann.database, bob.database], { words: ['id'] });
    expect(ann.log.filter(({ level, row }) => level === 'error' && row === undefined)).to.deep.equal([]);
  });

  /** What came of the first pull from eve that began with this answer, and how many requests it was. */
  async function pulledFromEve(): Promise<{ code: unknown; requests: number; line: LogLine }> {
    const from = ann.daemon.lines.length;
    const headers = { 'content-type': 'application/json' };
    await ann.fetch('/sync/trigger', { method: 'POST', headers, body: '{"peer":"eve"}' });
    const started = await ann.logged('pull started', ({ peer }) => peer === 'eve', from);
    const asked = eve.asked.length;
    const isEnd = (text: string) => text.includes('"peer":"eve"') && /"(pull f|peer is lost)/.test(text);
    const place = ann.daemon.lines.findIndex(
      (text, at) => at >= from && text.includes(started.time as string),
    );
    const line = JSON.parse(await ann.daemon.line(isEnd, 'end of the pull', 30_000, place)) as LogLine;
    const code = line.errorCode ?? line.message;
    return { code, requests: eve.asked.length - asked, line };
  }

  /** What bob writes now comes to ann, whatever eve does meanwhile. */
  async function expectBobHeard(): Promise<void> {
    words += 1;
    const id = `bob-${words}`;
    execute(bob.database, `INSERT INTO words VALUES ('${id}', 'by bob', ${STAMP})`);
    await until(() => countOf(ann.database, 'words', `id = '${id}'`) === 1, `${id} at ann`, 10_000);
  }

  function wordsOfEve(): unknown[] {
    return withDatabase(ann.database, (database) =>
      database.prepare("SELECT id FROM words WHERE english = 'by eve' ORDER BY id").pluck().all(),
    );
  }

  const refused: [string, (since: string) => unknown, string, number][] = [
    [
      'a value of a wrong type, with all else that is in the page',
      (since) => pageAfter(since, [row('good'), row('bad', {}, { updated_at: true })]),
      'page_damaged',
      10,
    ],
    [
      'a stamp after the year 9999',
      (since) => pageAfter(since, [row('late', { stamp: 253_402_300_800_000 })]),
      'page_damaged',
      10,
    ],
    [
      'one place in its log for two rows',
      (since) => {
        const page = pageAfter(since, [row('one'), row('two')]);
        const changes = page.changes as JsonObject[];
        return { ...page, changes: changes.map((change) => ({ ...change, seq: changes[0]?.seq })) };
      },
      'page_damaged',
      10,
    ],
    [
      'a cursor that goes back, for ever',
      (since) => ({ ...pageAfter(since, []), next_cursor: 'e0.1.aa', has_more: true }),
      'peer_endless',
      10,
    ],
    [
      'cursors of one log after another, for ever',
      (since) => {
        const epoch = since.startsWith('e1') ? 'e2' : 'e1';
        return { ...pageAfter('', [row('x')]), epoch, next_cursor: `${epoch}.1.aa`, has_more: true };
      },
      'peer_endless',
      10,
    ],
    [
      'pages without anything, for ever',
      (since) => ({ ...stepAfter(since), has_more: true, behind: 1 }),
      'peer_endless',
      1_100,
    ],
    [
      'names of rows that it never sends',
      (since) => pageAfter(since, [row('n', { record: undefined })]),
      'rows_missing',
      10,
    ],
  ];
  for (const [what, page, code, most] of refused) {
    it(`is refused, at a bounded cost: it sends ${what}`, async () => {
      const before = wordsOfEve();
      answer = (since, response) => {
        send(response, page(since));
      };
      const pull = await pulledFromEve();
      expect(pull.code, JSON.stringify(pull.line)).to.equal(code);
      expect(pull.requests).to.be.at.most(most);
      await expectBobHeard();
      expect(wordsOfEve()).to.deep.equal(before);
    });
  }

  it('writes no table that is not configured, one of ours least of all', async () => {
    const tables = ['settings', '_sync_peers', '_sync_changes', '_sync_guard', 'sqlite_schema', '__proto__'];
    const counted = () => tables.slice(0, 4).map((table) => countOf(ann.database, table, `1`));
    const before = counted();
    answer = once((since) =>
      pageAfter(
        since,
        tables.map((table) => row('theme', { table })),
      ),
    );
    expect((await pulledFromEve()).line).to.include({ applied: 0, skipped: 6, quarantined: 0 });
    expect(counted()).to.deep.equal(before);
    answer = once((since) => ({
      ...pageAfter(since, []),
      pruned: ['words', ...tables].map((table) => ({ table, stamp: 1, rank: 0 })),
    }));
    await pulledFromEve();
    expect(queryRow(ann.database, 'SELECT group_concat(table_name) FROM _sync_pruned')).to.deep.equal([
      'words',
    ]);
    await expectBobHeard();
  });

  it('has its rows that no table takes kept in quarantine, without what it hides beside them', async () => {
    let deep: unknown = 1;
    for (let level = 0; level < 4_000; level += 1) deep = [deep];
    answer = once((since) =>
      pageAfter(since, [
        row('good'),
        row('no column', { evil: deep }, { ['x'.repeat(100_000)]: 1 }),
        row('no word', { evil: deep }, { english: null }),
        row('another key', {}, { id: 'other' }),
        row('long key', { key: ['long key', 1] }),
      ]),
    );
    const { line } = await pulledFromEve();
    expect(line).to.include({ applied: 1, quarantined: 4 });
    expect(wordsOfEve()).to.deep.equal(['good']);
    const held = 'SELECT max(length(reason)), max(change LIKE \'%"evil"%\') FROM _sync_quarantine';
    const [longest, evil] = queryRow(ann.database, held);
    expect(longest).to.be.below(1_000);
    expect(evil).to.equal(0);
    await expectBobHeard();
  });

  it('keeps nobody waiting by pages of rows without end', async () => {
    const asked = eve.asked.length;
    const startedMs = performance.now();
    answer = (since, response) => {
      const rows = Array.from({ length: 500 }, (_, index) => row(`r${index}`, { table: 'settings' }));
      send(response, { ...pageAfter(since, rows), has_more: true, behind: 1_000 });
    };
    const from = ann.daemon.lines.length;
    await until(() => eve.asked.length > asked + 20, 'some pages');
    for (let word = 0; word < 5; word += 1) await expectBobHeard();
    expect((await ann.fetch('/health')).status).to.equal(200);
    answer = honest;
    await ann.logged('pull finished', ({ peer }) => peer === 'eve', from);
    const seconds = (performance.now() - startedMs) / 1000;
    const pages = eve.asked.length - asked;
    console.log(`      ${pages} pages of 500 rows in ${seconds.toFixed(1)} s, while 5 words came from bob`);
  });

  // Each is made before it is asked for: eve answers within ann's request timeout, however slow the machine is.
  const large: [string, () => Answer][] = [
    ['95 MiB of brackets', () => sendsBody(Buffer.alloc(95 * 1024 * 1024, '['))],
    ['95 MiB of empty rows', () => sendsBody(emptyRows(95 * 1024 * 1024))],
    ['half a GiB in half a MiB', () => sendsBody(bomb(), { 'content-encoding': 'gzip' })],
    ['a body without end', () => (_since, response) => sendForever(response)],
    [
      'a header without end',
      () => (_since, response) => response.writeHead(200, { 'x-next-cursor': '1'.repeat(60_000) }).end(),
    ],
  ];
  for (const [what, prepare] of large) {
    it(`costs no more than is allowed by ${what}`, async () => {
      answer = prepare();
      expect((await pulledFromEve()).code).to.equal('page_damaged');
      answer = honest;
      await expectBobHeard();
      const memory = peakMemoryMiB(ann.daemon.pid);
      console.log(`      peak memory of the daemon ${memory ?? 'unknown'} MiB`);
      expect(memory ?? 0).to.be.below(MAX_MEMORY_MIB);
    });
  }

  it('is given up where it says nothing at all', async () => {
    answer = () => undefined;
    expect((await pulledFromEve()).line).to.include({ message: 'peer is lost' });
    await expectBobHeard();
  });

  /** Answers so once, and then has nothing more. */
  function once(page: (since: string) => unknown): Answer {
    return (since, response) => {
      answer = honest;
      send(response, page(since));
    };
  }
});

describe('the log of a daemon', () => {
  it('holds no line that a peer has made up', async () => {
    const forged = '\r\n1999-01-01T00:00:00.000Z error forged\u001b[2K\u2028\u202e\u0085';
    const messages = [forged, 'x'.repeat(60_000)];
    const eve = await servePeer((request, response) => {
      const since = new URL(request.url ?? '', 'http://eve').searchParams.get('since') ?? '';
      const page = pageAfter(since, [row('id', {}, { [forged]: 1 })]);
      if (request.url === '/health') response.end('{"node":"eve","protocol":1}');
      else if (eve.asked.length < 4) {
        response.writeHead(eve.asked.length < 3 ? 500 : 400);
        response.end(JSON.stringify({ error: { code: forged, message: messages[eve.asked.length % 2] } }));
      } else if (eve.asked.length < 6) send(response, { ...page, [forged]: 1, members: [{ [forged]: 1 }] });
      else send(response, { ...page, oversized: [{ seq: 1, table: forged, key: [forged, messages[1]] }] });
    });
    const { file, app } = await createDatabaseFile('ann', { peers: [{ name: 'eve', address: eve.address }] });
    const daemon = startCli(['start', '--config', file, '--log-level', 'debug']);
    try {
      await daemon.line((line) => line.includes('listening'), 'start');
      const [, address] =
        /address=(\S+)/.exec(daemon.lines.find((line) => line.includes('listening')) ?? '') ?? [];
      for (let pulls = 0; pulls < 5; pulls += 1) {
        const from = daemon.lines.length;
        const headers = { 'content-type': 'application/json' };
        const asked = { method: 'POST', headers, body: '{"peer":"eve"}' };
        await fetch(`http://${(address ?? '').replace('http://', '')}/sync/trigger`, asked);
        await daemon.line((line) => /pull f(ailed|inished)/.test(line), 'end of the pull', 10_000, from);
      }
      await daemon.line((line) => line.includes('too large to travel'), 'row');
    } finally {
      await daemon.end('SIGTERM');
      await eve.close();
      app.close();
    }
    expect(daemon.lines.join('\n')).to.contain('forged');
    for (const line of [...daemon.lines, ...daemon.errors.split('\n').filter((text) => text !== '')]) {
      expect(line).to.match(
        /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn |info |debug) [\x20-\x7e]+$/,
      );
      expect(line.length).to.be.below(5_000);
    }
  });
});

/** Empty, one step further. */
function stepAfter(since: string): JsonObject {
  const page = pageAfter(since, [row('left out')]);
  return { ...page, changes: [] };
}

function sendsBody(body: Buffer, headers: Record<string, string> = {}): Answer {
  const sha256 = createHash('sha256').update(body).digest('hex');
  return (_since, response) => response.writeHead(200, { 'x-page-sha256': sha256, ...headers }).end(body);
}

function emptyRows(bytes: number): Buffer {
  const page = JSON.stringify({ ...pageAfter('', []), changes: [] }).split('[]');
  const rows = Buffer.alloc(bytes - page.join('').length - 10, '{},');
  return Buffer.concat([Buffer.from(`${page[0]}[`), rows, Buffer.from(`{}]${page[1]}`)]);
}

function bomb(): Buffer {
  return gzipSync(Buffer.alloc(512 * 1024 * 1024), { level: 1 });
}

function sendForever(response: ServerResponse): void {
  const piece = Buffer.alloc(1024 * 1024, ' ');
  response.writeHead(200, { 'x-page-sha256': '0'.repeat(64) });
  const more = () => {
    while (!response.destroyed && response.write(piece)) continue;
  };
  response.on('drain', more);
  more();
}
