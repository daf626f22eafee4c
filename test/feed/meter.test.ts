import { once } from 'node:events';
import { request } from 'node:http';
import { expect } from 'chai';
import type { AnsweredRequest } from '#src/feed/meter.js';
import { serveFeed, type ServedFeed } from './serve.js';

describe('The feed tells its meter', () => {
  let feed: ServedFeed;
  let answered: AnsweredRequest[];
  let served: number[];
  let tell: () => void;

  beforeEach(async () => {
    answered = [];
    served = [];
    tell = () => undefined;
    feed = await serveFeed({
      meter: {
        answered(request) {
          answered.push(request);
          tell();
        },
        served: (changes) => served.push(changes),
      },
    });
  });
  afterEach(() => feed.close());

  async function ended(count: number): Promise<string[]> {
    while (answered.length < count) await new Promise<void>((resolve) => (tell = resolve));
    return answered.map(({ route, method, status }) => `${method} ${route} ${status}`);
  }

  it('routes by their template, whatever the path and the query say', async () => {
    await fetch(`${feed.url}/sync/changes?since=&limit=7`);
    await fetch(`${feed.url}/sync/status?x=1`);
    await fetch(`${feed.url}/sync/conflicts/`);
    await fetch(`${feed.url}/health`, { method: 'HEAD' });
    await fetch(`${feed.url}/no/${'x'.repeat(500)}`);
    await fetch(`${feed.url}/sync/changes`, { method: 'PATCH' });
    expect(await ended(6)).to.deep.equal([
      'GET /sync/changes 200',
      'GET /sync/status 200',
      'GET /sync/conflicts 200',
      'HEAD /health 200',
      'GET other 404',
      'OTHER other 404',
    ]);
    expect(answered.every(({ durationMs }) => durationMs > 0 && durationMs < 10_000)).to.equal(true);
  });

  it('requests that are refused, and those whose client has left', async () => {
    await fetch(`${feed.url}/sync/changes?limit=0`);
    await ended(1);
    const held = request(`${feed.url}/sync/changes?wait=60`).on('error', () => undefined);
    held.end();
    await feed.commits.held(1);
    held.destroy();
    expect(await ended(2)).to.deep.equal(['GET /sync/changes 400', 'GET /sync/changes aborted']);
    expect(served).to.deep.equal([]);
  });

  it('the changes of the pages that it has sent', async () => {
    feed.database.insert('a', 'b', 'c');
    for (const limit of [2, 10]) await (await fetch(`${feed.url}/sync/changes?limit=${limit}`)).text();
    await ended(2);
    expect(served).to.deep.equal([2, 3]);
  });

  it('nothing twice', async () => {
    const asked = request(`${feed.url}/health`);
    asked.end();
    await once(asked, 'response');
    expect(await ended(1)).to.have.length(1);
  });
});
