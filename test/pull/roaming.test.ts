import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { openRoaming } from '#src/pull/roaming.js';
import type { HttpConnection } from '#src/pull/request.js';
import { serveFeed, type ServedFeed } from '../feed/serve.js';
import { freePort } from './peer-server.js';

const KEY = 'k'.repeat(32);
const { signal } = new AbortController();

/** The peer is `desktop`, as the served feed calls itself. */
describe('a connection to a peer that discovery may find', () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
  });

  async function replica(parts: Parameters<typeof serveFeed>[0] = {}): Promise<ServedFeed> {
    const feed = await serveFeed({ apiKeys: [KEY], provesKeys: true, ...parts });
    ends.push(() => feed.close());
    return feed;
  }

  /** A program that answers every request with what `answer` makes of it, and remembers what it was sent. */
  async function liar(answer: (request: IncomingMessage) => Promise<string> | string) {
    const seen: IncomingMessage[] = [];
    const server: Server = createServer((request, response) => {
      seen.push(request);
      void Promise.resolve(answer(request)).then((body) => response.end(body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(
      () =>
        new Promise((resolve) => {
          server.closeAllConnections();
          server.close(resolve);
        }),
    );
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
  }

  function open(address: string | null, announced: () => readonly string[], apiKey: string | null = KEY) {
    const moves: string[] = [];
    const finder = {
      addressesOf: announced,
      placeOf: () => moves.at(-1) ?? null,
      onMoved: (_node: string, to: string) => moves.push(to),
    };
    const times = { connectTimeoutMs: 1000, requestTimeoutMs: 1000 };
    const connection = openRoaming({ name: 'desktop', address, apiKey, ...times }, finder);
    ends.push(() => connection.close());
    return { connection, moves };
  }

  const nowhere = async () => `http://127.0.0.1:${await freePort()}`;

  async function failureOf(connection: HttpConnection): Promise<unknown> {
    try {
      return await connection.send({ method: 'GET', path: '/health' }, signal);
    } catch (error) {
      return error;
    }
  }

  it('asks at the configured address, and nowhere else while that answers', async () => {
    const { url } = await replica();
    const other = await liar(() => '{}');
    const { connection, moves } = open(url, () => [other.url]);
    const answer = await connection.send({ method: 'GET', path: '/sync/status' }, signal);
    expect(answer.status).to.equal(200);
    expect(moves).to.deep.equal([]);
    expect(other.seen).to.deep.equal([]);
  });

  it('finds a peer whose address changed, and stays there', async () => {
    const { url } = await replica();
    const { connection, moves } = open(await nowhere(), () => [url]);
    for (let times = 0; times < 2; times += 1) {
      const answer = await connection.send({ method: 'GET', path: '/sync/status' }, signal);
      expect(answer.status).to.equal(200);
    }
    expect(moves).to.deep.equal([url]);
    expect(connection.target.address).to.equal(url);
  });

  it('finds it once for requests that miss it at the same time', async () => {
    const { url } = await replica();
    const { connection, moves } = open(await nowhere(), () => [url]);
    const both = [
      { method: 'GET' as const, path: '/health' },
      { method: 'GET' as const, path: '/sync/status' },
    ];
    for (let times = 0; times < 5; times += 1) {
      moves.length = 0;
      const answers = await Promise.all(both.map((request) => connection.send(request, signal)));
      expect(answers.map(({ status }) => status)).to.deep.equal([200, 200]);
      expect(moves).to.deep.equal([url]);
    }
  });

  it('finds it too where its old address belongs to another replica now', async () => {
    const other = await replica({ node: 'laptop' });
    const { url } = await replica();
    const { connection } = open(other.url, () => [url]);
    const answer = await connection.send({ method: 'GET', path: '/health' }, signal);
    expect(JSON.parse(answer.body.toString())).to.include({ node: 'desktop' });
  });

  it('finds a peer that has no address, once it is announced', async () => {
    const { url } = await replica();
    const announced: string[] = [];
    const { connection } = open(null, () => announced);
    expect(await failureOf(connection)).to.include({ code: 'peer_unreachable' });
    announced.push(url);
    expect(await failureOf(connection)).to.include({ status: 200 });
  });

  it('comes back to the configured address when the found one is gone', async () => {
    const port = await freePort();
    const configured = `http://127.0.0.1:${port}`;
    const away = await replica();
    const { connection, moves } = open(configured, () => [away.url]);
    await failureOf(connection);
    await away.close();
    const back = createServer((_request, response) => response.end('{"node":"desktop"}'));
    back.listen(port, '127.0.0.1');
    await once(back, 'listening');
    ends.push(() => new Promise((resolve) => back.close(resolve)));
    expect(await failureOf(connection)).to.include({ status: 200 });
    expect(moves).to.deep.equal([away.url, configured]);
  });

  it('never shows its key to one who only claims the node id', async () => {
    const claims = await liar(() => JSON.stringify({ node: 'desktop', proofs: ['0'.repeat(64)] }));
    const { connection, moves } = open(await nowhere(), () => [claims.url]);
    expect(await failureOf(connection)).to.include({ code: 'peer_unreachable' });
    expect(claims.seen).to.have.length(1);
    expect(JSON.stringify(claims.seen.map(({ headers, url }) => [headers, url]))).to.not.contain(KEY);
    expect(moves).to.deep.equal([]);
  });

  it('never shows its key to one who has the peer itself answer the challenge', async () => {
    const { url } = await replica();
    const relay = await liar(async (request) => (await fetch(`${url}${request.url ?? ''}`)).text());
    const { connection } = open(await nowhere(), () => [relay.url]);
    expect(await failureOf(connection)).to.include({ code: 'peer_unreachable' });
    expect(JSON.stringify(relay.seen.map(({ headers }) => headers))).to.not.contain(KEY);
  });

  it('passes over a liar to the peer behind it', async () => {
    const { url } = await replica();
    const claims = await liar(() => '{"node":"desktop"}');
    const { connection, moves } = open(null, () => [claims.url, url]);
    expect(await failureOf(connection)).to.include({ status: 200 });
    expect(moves).to.deep.equal([url]);
  });

  it('accepts a proof by any of the keys that the peer accepts, and none by another', async () => {
    const changing = await replica({ apiKeys: ['n'.repeat(32), KEY] });
    expect(await failureOf(open(null, () => [changing.url]).connection)).to.include({ status: 200 });
    const foreign = await replica({ apiKeys: ['n'.repeat(32)] });
    expect(await failureOf(open(null, () => [foreign.url]).connection)).to.include({
      code: 'peer_unreachable',
    });
  });

  it('without a key believes this machine only', async () => {
    const { url } = await replica({ apiKeys: [] });
    expect(await failureOf(open(null, () => [url], null).connection)).to.include({ status: 200 });
  });

  it('is not led from https to http', async () => {
    const { url, database } = await replica();
    expect(database.keys).to.deep.equal([]);
    const { connection, moves } = open('https://127.0.0.1:1', () => [url]);
    expect(await failureOf(connection)).to.include({ code: 'peer_unreachable' });
    expect(moves).to.deep.equal([]);
  });
});
