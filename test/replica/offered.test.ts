import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { openReplica, type Replica } from '#src/index.js';
import type { Invitation } from '#src/wire/offer.js';
import {
  addWords,
  createDatabaseFile,
  wordsOf,
  type DatabaseFile,
  type FileOptions,
} from '../stand-ins/database-file.js';
import { LogRecorder } from '../stand-ins/log-recorder.js';

interface Running extends DatabaseFile {
  readonly replica: Replica;
  readonly log: LogRecorder;
  readonly url: string;
}

/** The fields of a page that an offer of these tests brings. */
interface Page {
  protocol: unknown;
  node: unknown;
  epoch: unknown;
  changes: Record<string, unknown>[];
  next_cursor: unknown;
  has_more: unknown;
  behind: unknown;
}

describe('a replica that takes offers, on a real database', () => {
  const opened: { replica: Replica; app: DatabaseFile['app'] }[] = [];
  let server: Running;
  let laptop: Running;
  beforeEach(async () => {
    server = await start('server', { peers: [{ name: 'laptop' }] });
    laptop = await start('laptop');
    addWords(server.app, 'of the server');
    addWords(laptop.app, 'of the laptop', 'too');
  });
  afterEach(async () => {
    for (const { replica, app } of opened.splice(0)) {
      await replica.stop();
      app.close();
    }
  });

  async function start(node: string, options: FileOptions = {}): Promise<Running> {
    const database = await createDatabaseFile(node, options);
    const log = new LogRecorder();
    const replica = await openReplica(database.config, { logger: log.logger });
    opened.push({ replica, app: database.app });
    await replica.start();
    return { ...database, replica, log, url: `http://${replica.address ?? ''}` };
  }

  /** The query of an offer by the laptop, and the page that it would bring. */
  async function honest(): Promise<{ query: string; page: Page }> {
    const { epoch } = await laptop.replica.status();
    const node = `node=laptop&epoch=${epoch}`;
    const asked = await fetch(`${server.url}/sync/changes?${node}`, { method: 'POST' });
    const invitation = (await asked.json()) as Invitation;
    const page = (await (await fetch(`${laptop.url}/sync/changes?${invitation.request}`)).json()) as Page;
    const { cursor, epoch: to, pruned } = invitation;
    return { query: `${node}&since=${cursor}&to=${to}&pruned=${pruned}`, page };
  }

  async function offered(query: string, body: string, hashed = body): Promise<string> {
    const sha256 = createHash('sha256').update(hashed).digest('hex');
    const answer = await fetch(`${server.url}/sync/changes?${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-page-sha256': sha256 },
      body,
    });
    const { error } = (await answer.json()) as { error?: { code: string } };
    return `${answer.status} ${error?.code ?? 'taken'}`;
  }

  /** All that the server holds, but for what its marks and the times of its members say. */
  function contentOf({ app }: Running): unknown[] {
    return [
      'words',
      '_sync_changes',
      '_sync_quarantine',
      '_sync_conflicts',
      '_sync_peers',
      '_sync_origins',
    ].map((table) => app.prepare(`SELECT * FROM ${table}`).all());
  }

  it('takes an honest one, and then nothing of it a second time', async () => {
    const { query, page } = await honest();
    expect(await offered(query, JSON.stringify(page))).to.equal('200 taken');
    expect(wordsOf(server.app)).to.deep.equal(['of the laptop', 'of the server', 'too']);
    expect(await offered(query, JSON.stringify(page))).to.equal('409 cursor_moved');
    const [peer] = (await server.replica.status()).peers;
    expect(peer?.cursor).to.equal(page.next_cursor);
    expect(peer?.offered).to.include({ last_error: null });
  });

  const FAULTS: readonly [string, (page: Page) => unknown, string][] = [
    ['is no JSON', () => null, '400 page_damaged'],
    ['is of another protocol', (page) => ({ ...page, protocol: 2 }), '400 page_damaged'],
    ['is of another node', (page) => ({ ...page, node: 'server' }), '400 wrong_node'],
    ['has no list of changes', (page) => ({ ...page, changes: 7 }), '400 page_damaged'],
    ['has a cursor that is no text', (page) => ({ ...page, next_cursor: 7 }), '400 page_damaged'],
    ['has a stamp from after the year 9999', changed({ stamp: 300_000_000_000_000 }), '400 page_damaged'],
    ['has an origin that is none', changed({ origin: 'nobody' }), '400 page_damaged'],
    ['has a value that is none', changed({ record: { id: { $what: 1 } } }), '400 page_damaged'],
    ['has an operation that is none', changed({ operation: 'drop' }), '400 page_damaged'],
    [
      'says that there is more, and does not lead on',
      (page) => ({ ...page, changes: [], has_more: true, next_cursor: `${String(page.epoch)}.0.ab` }),
      '400 peer_endless',
    ],
  ];

  for (const [what, fault, answer] of FAULTS) {
    it(`changes nothing for a page that ${what}`, async function () {
      const { query, page } = await honest();
      await server.log.until('folded');
      const before = contentOf(server);
      const faulty = fault(page);
      const body = faulty === null ? '{"protocol":1,' : JSON.stringify(faulty);
      const since = what.includes('lead on')
        ? query.replace('&since=&', `&since=${String(page.next_cursor)}&`)
        : query;
      expect(await offered(since, body)).to.equal(answer);
      expect(contentOf(server)).to.deep.equal(before);
      const code = answer.split(' ')[1];
      const [peer] = (await server.replica.status()).peers;
      expect(peer?.offered?.last_error).to.include({ code });
      expect(server.log.of('refused an offered page', 'warn')).to.have.length(1);
    });
  }

  it('changes nothing for a page that was changed on the way, is too large, or is for another instance', async () => {
    const { query, page } = await honest();
    await server.log.until('folded');
    const before = contentOf(server);
    const body = JSON.stringify(page);
    expect(await offered(query, body, `${body} `)).to.equal('400 page_damaged');
    expect(await offered(query, ' '.repeat(97 * 1024 * 1024))).to.equal('413 bad_request');
    expect(await offered(query.replace(/&to=[0-9a-f]+/, '&to=abcdef'), body)).to.equal(
      '409 instance_renewed',
    );
    expect(await offered(query.replace('&pruned=0', '&pruned=7'), body)).to.equal('409 cursor_moved');
    expect(await offered(query.replace('node=laptop', 'node=stranger'), body)).to.equal('403 not_a_peer');
    expect(contentOf(server)).to.deep.equal(before);
  });

  it('takes nothing while its disk is almost full, and says so', async () => {
    server = await start('server', { peers: [{ name: 'laptop' }], database: { low_disk: '900TB' } });
    const { query, page } = await honest();
    const before = contentOf(server);
    expect(await offered(query, JSON.stringify(page))).to.equal('503 low_disk');
    expect(contentOf(server)).to.deep.equal(before);
    const [peer] = (await server.replica.status()).peers;
    expect(peer?.offered?.last_error).to.include({ code: 'low_disk' });
  });

  it('writes no change of a table that is not replicated here, as of one that was pulled', async () => {
    server.app.exec('CREATE TABLE secrets (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER)');
    const { query, page } = await honest();
    const [first, ...others] = page.changes;
    const body = JSON.stringify({ ...page, changes: [{ ...first, table: 'secrets' }, ...others] });
    expect(await offered(query, body)).to.equal('200 taken');
    expect(wordsOf(server.app)).to.deep.equal(['of the server', 'too']);
    expect(server.app.prepare('SELECT count(*) FROM secrets').pluck().get()).to.equal(0);
  });

  it('holds a change that is stamped too far ahead, as of a page that was pulled', async () => {
    const { query, page } = await honest();
    const [first, ...others] = page.changes;
    const stamp = Date.now() + 3_600_000;
    const record = { ...(first?.record as object), updated_at: stamp };
    const body = JSON.stringify({ ...page, changes: [{ ...first, stamp, record }, ...others] });
    expect(await offered(query, body)).to.equal('200 taken');
    expect(wordsOf(server.app)).to.deep.equal(['of the server', 'too']);
    expect((await server.replica.status()).quarantined).to.equal(1);
  });

  function changed(fields: Record<string, unknown>): (page: Page) => unknown {
    return (page) => ({ ...page, changes: page.changes.map((change) => ({ ...change, ...fields })) });
  }
});
