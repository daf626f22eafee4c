import { expect } from 'chai';
import { noRefusals } from '#src/feed/refusals.js';
import { openConnection } from '#src/pull/request.js';
import { KEY_HEADER } from '#src/wire/http.js';
import { serveFeed, type ServedFeed } from './serve.js';

const KEY = 'k'.repeat(32);

describe('the rate limit', () => {
  let feed: ServedFeed;
  const refusals = noRefusals();
  beforeEach(async () => {
    Object.assign(refusals, noRefusals());
    feed = await serveFeed({ apiKeys: [KEY], rateLimit: { perSecond: 10, burst: 2 }, refusals });
  });
  afterEach(() => feed.close());

  const statusOf = async (path: string, key = KEY) => {
    const answer = await fetch(feed.url + path, { headers: { [KEY_HEADER]: key } });
    await answer.arrayBuffer();
    return answer;
  };

  it('answers 429 and when to ask again to who asks more often', async () => {
    const answers = await Promise.all(Array.from({ length: 15 }, () => statusOf('/health')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).to.have.length(3);
    expect(refused[0]?.headers.get('retry-after')).to.equal('1');
    expect(refusals.rate).to.equal(3);
  });

  it('tells replicas of one address apart once they are let in, and nobody else', async () => {
    const asked = (key: string) =>
      Promise.all(Array.from({ length: 20 }, (_, n) => statusOf(`/sync/status?node=node-${n % 2}`, key)));
    const ofReplicas = await asked(KEY);
    expect(ofReplicas.filter(({ status }) => status === 200)).to.have.length(20);
    const ofStrangers = await asked('wrong');
    expect(ofStrangers.filter(({ status }) => status === 429).length).to.be.at.least(8);
  });

  it('holds for every route', async () => {
    await feed.close();
    feed = await serveFeed({ apiKeys: [KEY], rateLimit: { perSecond: 1, burst: 0 }, refusals });
    const named = feed.routes.map(({ method, path }) => `${method} ${path}`);
    expect(named).to.include.members(['POST /sync/changes', 'POST /sync/backup', 'POST /sync/reload-peers']);
    for (const [place, { method, path }] of feed.routes.entries()) {
      const target = `${feed.url}${path.replace(/:\w+/g, '1')}?node=bob&epoch=ab`;
      // The first may be let in, and so may one of the second after it.
      const answers = await Promise.all(
        [1, 2, 3, 4].map(() => fetch(target, { method, headers: { [KEY_HEADER]: KEY } })),
      );
      const told = await Promise.all(answers.map((answer) => answer.text()));
      const last = answers.findLastIndex(({ status }) => status === 429);
      expect(last, named[place]).to.be.at.least(0);
      expect(told[last], named[place]).to.contain('rate_limited');
    }
  });

  it('counts questions that are held apart from pulls', async () => {
    const questions = await Promise.all(
      Array.from({ length: 12 }, () => statusOf('/sync/changes?since=&node=bob&epoch=ab&peek=1')),
    );
    expect(questions.map(({ status }) => status)).to.deep.equal(Array.from({ length: 12 }, () => 200));
    expect((await statusOf('/sync/changes?since=&node=bob&epoch=ab')).status).to.equal(200);
    expect((await statusOf('/sync/changes?since=&node=bob&epoch=ab&peek=1')).status).to.equal(429);
  });

  it('counts no offer as a question', async () => {
    const offer = (peek: string) =>
      fetch(`${feed.url}/sync/changes?node=macbook&epoch=e1${peek}`, {
        method: 'POST',
        headers: { [KEY_HEADER]: KEY },
      });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => offer(n % 2 === 0 ? '' : '&peek=1')),
    );
    expect(answers.filter(({ status }) => status === 429).length).to.be.at.least(1);
  });

  it('only makes our own client wait', async () => {
    const target = {
      name: 'desktop',
      address: feed.url,
      apiKey: KEY,
      connectTimeoutMs: 1000,
      requestTimeoutMs: 5000,
    };
    const connection = openConnection(target);
    const startedMs = performance.now();
    for (let times = 0; times < 14; times += 1) {
      const answer = await connection.send({ method: 'GET', path: '/nodes' }, new AbortController().signal);
      expect(answer.status).to.equal(200);
    }
    await connection.close();
    expect(refusals.rate).to.be.at.least(1);
    expect(performance.now() - startedMs).to.be.at.least(900);
  });
});
