import { expect } from 'chai';
import { request } from 'undici';
import { SyncError } from '#src/errors.js';
import { serveFeed, type ServedFeed } from './serve.js';

const KEY = 'k'.repeat(32);
const NEXT_KEY = 'n'.repeat(40);

describe('the feed', () => {
  let feed: ServedFeed;
  afterEach(() => feed.close());

  const post = (path: string, body?: string) =>
    fetch(feed.url + path, {
      method: 'POST',
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });

  describe('without a key', () => {
    beforeEach(async () => {
      feed = await serveFeed();
    });

    it('says on /health who it is', async () => {
      const answer = await fetch(`${feed.url}/health`);
      expect(answer.status).to.equal(200);
      expect(await answer.json()).to.deep.equal({
        status: 'ok',
        node: 'desktop',
        version: '1.2.3',
        protocol: 1,
        epoch: 'e0',
        server_time_ms: 1704326400000,
      });
    });

    it('answers 503 on /health when the database can not be used', async () => {
      feed.database.failures.set('identity', new Error('disk I/O error'));
      const answer = await fetch(`${feed.url}/health`);
      expect(answer.status).to.equal(503);
      expect(await answer.json()).to.have.property('status', 'unavailable');
    });

    it('answers an unknown route with 404 and does not name its framework', async () => {
      const answer = await fetch(`${feed.url}/nothing`);
      expect(answer.status).to.equal(404);
      expect(await answer.json()).to.have.nested.property('error.code', 'unknown_route');
      expect(answer.headers.has('x-powered-by')).to.equal(false);
    });

    it('answers 503 and logs when the database fails, without its own words for the unexpected', async () => {
      feed.database.failures.set('page', new SyncError('database_failed', 'the database is malformed'));
      expect((await fetch(`${feed.url}/sync/changes`)).status).to.equal(503);
      feed.database.failures.set('page', new TypeError('secret detail'));
      const answer = await fetch(`${feed.url}/sync/changes`);
      expect(answer.status).to.equal(500);
      expect(await answer.text()).not.to.include('secret');
      expect(feed.log.of('a request failed', 'error')).to.have.length(2);
    });

    for (const host of [
      'evil.example',
      'evil.example:80',
      '192.168.1.20:8091',
      'localhost.evil.example',
      '',
    ]) {
      it(`refuses the Host "${host}"`, async () => {
        const answer = await request(`${feed.url}/sync/status`, { headers: { host } });
        expect(answer.statusCode).to.equal(403);
        expect(await answer.body.json()).to.have.nested.property('error.code', 'host_refused');
      });
    }

    for (const host of ['localhost', '127.0.0.1:8091', '127.1.2.3', '[::1]:8091']) {
      it(`accepts the Host "${host}"`, async () => {
        const answer = await request(`${feed.url}/sync/status`, { headers: { host } });
        expect(answer.statusCode).to.equal(200);
      });
    }

    for (const origin of ['https://evil.example', 'null', 'file://']) {
      it(`refuses a page of the Origin "${origin}"`, async () => {
        const answer = await request(`${feed.url}/sync/status`, { headers: { origin } });
        expect(answer.statusCode).to.equal(403);
      });
    }

    it('accepts a page of its own', async () => {
      const answer = await request(`${feed.url}/sync/status`, {
        headers: { origin: 'http://localhost:8091' },
      });
      expect(answer.statusCode).to.equal(200);
    });

    it('passes a trigger on and answers 202', async () => {
      const answer = await post('/sync/trigger', '{"peer":"macbook"}');
      expect(answer.status).to.equal(202);
      expect(await answer.json()).to.deep.equal({ status: 'triggered', peer: 'macbook' });
      expect((await post('/sync/full-sync', '{"peer":"macbook"}')).status).to.equal(202);
      expect(feed.triggered).to.deep.equal(['macbook', 'macbook from the start']);
    });

    it('gives the open conflicts', async () => {
      const answer = await fetch(`${feed.url}/sync/conflicts`);
      expect(await answer.json()).to.deep.equal({ conflicts: [], total: 0 });
    });

    it('triggers all', async () => {
      const answer = await post('/sync/trigger-all');
      expect(answer.status).to.equal(202);
      expect(await answer.json()).to.deep.equal({ status: 'triggered', peers: ['macbook', 'server'] });
    });

    for (const body of [undefined, '', '{}', '{"peer":1}', '{"peer":""}', 'null', '"macbook"', '{"peer":']) {
      it(`answers 400 to a trigger with the body ${body ?? 'none'}`, async () => {
        const answer = await post('/sync/trigger', body);
        expect(answer.status).to.equal(400);
        expect(await answer.json()).to.have.nested.property('error.code', 'bad_request');
      });
    }

    it('answers 404 to a trigger of an unknown peer', async () => {
      const answer = await post('/sync/full-sync', '{"peer":"toaster"}');
      expect(answer.status).to.equal(404);
      expect(await answer.json()).to.have.nested.property('error.code', 'unknown_peer');
    });

    it('refuses a body that is too large', async () => {
      const answer = await post('/sync/trigger', JSON.stringify({ peer: 'x'.repeat(20_000) }));
      expect(answer.status).to.equal(413);
    });
  });

  describe('with two keys', () => {
    beforeEach(async () => {
      feed = await serveFeed({ apiKeys: [KEY, NEXT_KEY] });
    });

    it('leaves /health open', async () => {
      expect((await fetch(`${feed.url}/health`)).status).to.equal(200);
    });

    for (const headers of [
      { 'x-api-key': KEY },
      { 'x-api-key': NEXT_KEY },
      { authorization: `Bearer ${KEY}` },
      { authorization: `bearer ${NEXT_KEY}` },
      { 'x-api-key': KEY, host: 'desktop.lan:8091', origin: 'https://elsewhere.example' },
    ]) {
      it(`accepts ${JSON.stringify(headers)}`, async () => {
        const answer = await request(`${feed.url}/sync/status`, {
          headers: headers as Record<string, string>,
        });
        expect(answer.statusCode).to.equal(200);
      });
    }

    for (const path of ['/sync/changes', '/sync/status', '/sync/conflicts', '/nodes', '/nothing']) {
      it(`answers 401 on ${path} without a key or with a wrong one`, async () => {
        for (const headers of [{}, { 'x-api-key': KEY.slice(1) }, { authorization: `Basic ${KEY}` }]) {
          const answer = await request(feed.url + path, { headers: headers as Record<string, string> });
          expect(answer.statusCode).to.equal(401);
          expect(answer.headers['www-authenticate']).to.equal('Bearer');
          expect(await answer.body.text())
            .to.include('unauthorized')
            .and.not.include(KEY);
        }
      });
    }
  });
});
