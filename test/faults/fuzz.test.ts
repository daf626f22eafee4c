import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { createFeed, type FeedParts } from '#src/feed/feed.js';
import { routesOf } from '../feed/routes-of.js';
import { asNode, servePeer, type PeerServer } from '../pull/peer-server.js';
import { printedSeed, randomNumbers, runsOf } from '../random.js';
import { contentOf, execute, withDatabase } from '../replication/content.js';
import { ReplicaGroup, until, type LogLine, type Replica } from '../replication/group.js';
import { sendRaw } from '../stand-ins/raw-request.js';
import { badAnswer, type JsonObject, type PageAnswer } from './bad-pages.js';
import { badRequest, bytesOf, FUZZED_PATHS } from './bad-requests.js';

const REQUESTS = runsOf({ suite: 1_600, soak: 16_000 });
const PAGES = runsOf({ suite: 400, soak: 4_000 });
/** Requests under way at once. */
const AT_ONCE = 16;
/** Looked at between so many of them. */
const BATCH = 200;
const IDLE_MS = 2_000;
/** With it a daemon proves its key to whoever asks. */
const DISCOVERY = { discovery: true, discovery_interface: '127.0.0.1' };
/** Blocks the event loop of a daemon at most, ms. Some 30 are usual, and 10 of an idle one; beside busy processes either may be many times as much. */
const MAX_BLOCK_MS = 2_000;

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT NOT NULL, updated_at INTEGER);
  CREATE TABLE notes (id TEXT PRIMARY KEY, body BLOB);
  CREATE TABLE settings (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER);
  INSERT INTO words VALUES ('w1', 'one', 1704326400000), ('w2', 'two', 1704326400000), ('w3', 'three', 1);
  INSERT INTO notes VALUES ('n1', x'00ff'), ('n2', 1.0), ('n3', 9007199254740993);
  INSERT INTO settings VALUES ('local', 'stays here', 1);
`;
const TABLES = [{ name: 'words', timestamp_column: 'updated_at' }, { name: 'notes' }];
const COMPARED = { words: ['id'], notes: ['id'], settings: ['id'], _sync_changes: ['id'] };

describe('a daemon that strangers talk to', function () {
  this.timeout(60_000 + (REQUESTS + PAGES) * 30);
  let group: ReplicaGroup;
  let ann: Replica;
  let eve: PeerServer;
  let answer: (since: string) => PageAnswer;
  let idleMs: number;

  before(async () => {
    eve = await servePeer(
      asNode('eve', (request, response) => {
        const since = new URL(request.url ?? '', 'http://eve').searchParams.get('since') ?? '';
        const { status, headers, body } = answer(since);
        response.writeHead(status, { ...headers }).end(body);
      }),
    );
    group = await ReplicaGroup.create({
      tables: TABLES,
      peers: { ann: ['eve'], eve: [] },
      route: () => Promise.resolve(eve.port),
      // Whoever asks too often is refused unread; here each request is to be read.
      settings: { network: { reconnect_interval: '1h', ...DISCOVERY }, security: { rate_limit: 1_000_000 } },
    });
    ann = group.replica('ann');
    ann.create(SCHEMA);
    await ann.join();
    execute(ann.database, "DELETE FROM words WHERE id = 'w3'");
    ann.environment = {
      NODE_OPTIONS: `--import=${new URL('./loop-watch.js', import.meta.url).href}`,
      TEST_LOOP_FILE: `${ann.database}-loop`,
    };
    answer = () => ({ status: 503, headers: {}, body: Buffer.from(''), fault: '' });
    await ann.start();
    await ann.logged('pull failed');
    await until(() => changesOf(ann).then((changes) => changes.length === 6), 'everything folded');
    await longestBlockMs();
    await pause(IDLE_MS);
    idleMs = await longestBlockMs();
  });

  after(async () => {
    await group?.remove();
    await eve?.close();
  });

  it('is fuzzed at every route that its feed has', () => {
    const missed = routesOf(createFeed(NO_PARTS))
      .map(({ path }) => path.replace(/:\w+/g, '1'))
      .filter((path) => !FUZZED_PATHS.has(path));
    expect(missed).to.deep.equal([]);
  });

  it('answers requests that make no sense by refusing them, and changes nothing', async () => {
    const random = randomNumbers(printedSeed(REQUESTS));
    const before = checksum();
    const statuses = new Map<string, number>();
    for (let done = 0; done < REQUESTS; done += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, REQUESTS - done) }, () =>
        bytesOf(badRequest(random)),
      );
      const ask = async (): Promise<void> => {
        for (let bytes = batch.pop(); bytes !== undefined; bytes = batch.pop()) {
          const { status, text } = await sendRaw(portOf(ann), bytes);
          const told = `${bytes.toString('latin1').slice(0, 2_000)}\n${text}`;
          expect(ann.isRunning, told).to.equal(true);
          expect(status === null || status < 500 || isHonest(status, text), told).to.equal(true);
          const code = /"code":"(\w+)"/.exec(text)?.[1] ?? 'without a code';
          const outcome = `${status ?? 'no answer'} ${code}`;
          statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, ask));
      expect((await ann.fetch('/health')).status).to.equal(200);
      expect(checksum()).to.equal(before);
    }
    const failed = ann.log.filter(({ message }) => message === 'a request failed');
    expect(failed, 'failures of the daemon itself').to.deep.equal([]);
    console.log(`      answers ${JSON.stringify(Object.fromEntries(statuses))}`);
    await expectUnblocked();
  });

  it('takes nothing from pages that make no sense', async () => {
    const random = randomNumbers(printedSeed(PAGES));
    const before = checksum();
    const changes = await changesOf(ann);
    const outcomes = new Map<string, number>();
    const from = ann.daemon.lines.length;
    for (let number = 0; number < PAGES; number += 1) {
      let fault = '';
      answer = (since) => {
        const bad = badAnswer(since, changes, number, random);
        ({ fault } = bad);
        return bad;
      };
      const outcome = await pulled();
      const code = outcome.message === 'pull finished' ? 'taken' : outcome.errorCode;
      expect(code, `page ${number}: ${fault}: ${JSON.stringify(outcome)}`).to.be.a('string');
      expect(JSON.stringify(outcome).length, `log line of page ${number}: ${fault}`).to.be.below(2_000);
      outcomes.set(String(code), (outcomes.get(String(code)) ?? 0) + 1);
      expect(checksum(), `page ${number}: ${fault}`).to.equal(before);
    }
    console.log(`      outcomes ${JSON.stringify(Object.fromEntries(outcomes))}`);
    const { quarantined } = await ann.status();
    expect(quarantined, 'rows that no table takes are kept for a person to see').to.be.greaterThan(0);
    expect(ann.log.slice(from).filter(({ level }) => level === 'error')).to.deep.equal([]);
    await expectUnblocked();
  });

  /** Has the daemon pull from eve, and returns the line that says what came of it. */
  async function pulled(): Promise<LogLine> {
    const from = ann.daemon.lines.length;
    const headers = { 'content-type': 'application/json' };
    await ann.fetch('/sync/trigger', { method: 'POST', headers, body: '{"peer":"eve"}' });
    const isEnd = (text: string) => /"message":"(pull finished|pull failed|peer is lost)"/.test(text);
    return JSON.parse(await ann.daemon.line(isEnd, 'end of the pull', 20_000, from)) as LogLine;
  }

  function checksum(): string {
    return withDatabase(ann.database, (database) => {
      const rows = Object.entries(COMPARED).map(([table, key]) => [...contentOf(database, table, key)]);
      return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
    });
  }

  async function expectUnblocked(): Promise<void> {
    const blockedMs = await longestBlockMs();
    console.log(`      longest block of the event loop ${blockedMs} ms, of an idle daemon ${idleMs} ms`);
    expect(blockedMs).to.be.below(MAX_BLOCK_MS);
  }

  /** Since it was asked before. */
  async function longestBlockMs(): Promise<number> {
    const file = `${ann.database}-loop`;
    rmSync(file, { force: true });
    process.kill(ann.daemon.pid, 'SIGUSR2');
    await until(() => existsSync(file), 'the longest block of the event loop');
    return Math.round(Number(readFileSync(file, 'utf8')) * 10) / 10;
  }
});

/** Changes of a page from the start, as a stranger gets them. */
async function changesOf(replica: Replica): Promise<JsonObject[]> {
  const page = (await (await replica.fetch('/sync/changes')).json()) as { changes: JsonObject[] };
  return page.changes;
}

function portOf({ address }: Replica): number {
  return Number(new URL(address).port);
}

/** 503 is honest where it says in words of ours what this replica can't do now. */
function isHonest(status: number, text: string): boolean {
  return status === 503 && text.includes('{"error":{"code":"');
}

/** What the routes are made of, which are not run here. */
const NO_PARTS = {
  apiKeys: [],
  requireClientCert: false,
  rateLimit: null,
  signal: new AbortController().signal,
} as unknown as FeedParts;
