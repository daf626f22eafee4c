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

  it('counts questions that are held apart from pulls', async () => {
    const questions = await Promise.all(
      Array.from({ length: 12 }, () => statusOf('/sync/changes?since=&node=bob&epoch=ab&peek=1')),
    );
    expect(questions.map(({ status }) => status)).to.deep.equal(Array.from({ length: 12 }, () => 200));
    expect((await statusOf('/sync/changes?since=&node=bob&epoch=ab')).status).to.equal(200);
    expect((await statusOf('/sync/changes?since=&node=bob&epoch=ab&peek=1')).status).to.equal(429);
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
