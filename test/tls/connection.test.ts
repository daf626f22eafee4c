import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { SyncError } from '#src/errors.js';
import type { ServerTls } from '#src/feed/listen.js';
import { noRefusals } from '#src/feed/refusals.js';
import { createAttempts } from '#src/pull/attempts.js';
import { createPeerClient } from '#src/pull/client.js';
import { openConnection } from '#src/pull/request.js';
import type { ClientTls } from '#src/tls/client.js';
import { serveFeed, type ServedFeed } from '../feed/serve.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { testConfig } from '../stand-ins/config.js';
import { Authority, contentOf, type CertificateFiles } from './authority.js';

withPrograms(['openssl'], () => {
  describe('A connection over TLS', () => {
    let ours: Authority;
    let theirs: Authority;
    let desktop: CertificateFiles;
    let laptop: CertificateFiles;
    let feed: ServedFeed;
    const refusals = noRefusals();
    before(() => {
      ours = new Authority();
      theirs = new Authority();
      desktop = ours.issue('desktop');
      laptop = ours.issue('laptop');
    });
    beforeEach(() => Object.assign(refusals, noRefusals()));
    afterEach(() => feed.close());

    const serve = async (files: CertificateFiles, askClient = false) => {
      feed = await serveFeed({ requireClientCert: askClient, refusals }, { tls: serverOf(files, askClient) });
    };

    it('needs no certificate of the client unless the server asks for one', async () => {
      await serve(desktop);
      expect(await failure(feed.url, { ca: readFileSync(ours.ca) })).to.equal(null);
    });

    it('is served to a client with a certificate of the authority', async () => {
      await serve(desktop, true);
      expect(await failure(feed.url, contentOf(laptop))).to.equal(null);
    });

    const strangers: [who: string, tls: () => ClientTls, said: RegExp][] = [
      [
        'without a certificate',
        () => ({ ca: readFileSync(ours.ca) }),
        /needs a client certificate, and none was shown/,
      ],
      [
        'with a foreign certificate',
        () => ({ ...contentOf(theirs.issue('laptop')), ca: readFileSync(ours.ca) }),
        /does not trust the authority/,
      ],
      ['with an expired certificate', () => contentOf(ours.issue('laptop', { days: -1 })), /has expired/],
    ];
    for (const [who, tls, said] of strangers) {
      it(`is refused to a client ${who}, on every route and at once, with the reason`, async () => {
        await serve(desktop, true);
        const error = await failure(feed.url, tls());
        expect(error).to.include({ code: 'peer_refused' });
        expect(error?.message).to.match(said);
        expect(error?.hint).to.include('security.tls');
        expect(refusals.certificate).to.equal(1);
        const connection = connectionTo(feed.url, tls());
        for (const { method, path } of feed.routes.slice(0, 4)) {
          const request = { method: method as 'GET', path };
          const { status } = await connection.send(request, new AbortController().signal);
          expect(status, path).to.equal(403);
        }
        await connection.close();
      });
    }

    const untrusted: [what: string, server: () => CertificateFiles, reason: RegExp][] = [
      ['of another authority', () => theirs.issue('desktop'), /is of no authority that is trusted here/],
      ['that has expired', () => ours.issue('desktop', { days: -1 }), /has expired/],
      [
        'for another host',
        () => ours.issue('desktop', { names: 'DNS:desktop.lan,IP:192.0.2.1' }),
        /is for other hosts/,
      ],
    ];
    for (const [what, server, reason] of untrusted) {
      it(`is given up without a further attempt where the peer shows a certificate ${what}`, async () => {
        await serve(server());
        let connections = 0;
        const error = await failure(feed.url, contentOf(laptop), () => (connections += 1));
        expect(error).to.include({ code: 'peer_untrusted' });
        expect(error?.message).to.match(reason);
        expect(error?.hint).to.be.a('string');
        expect(connections).to.equal(1);
        expect(feed.log.of('a request failed')).to.deep.equal([]);
      });
    }

    it('says so where the other side speaks plain HTTP', async () => {
      feed = await serveFeed();
      const error = await failure(feed.url.replace('http:', 'https:'), contentOf(laptop));
      expect(error).to.include({ code: 'tls_failed' });
      expect(error?.hint).to.include('http://');
    });

    it('hints at https where plain HTTP is cut off', async () => {
      await serve(desktop);
      const error = await failure(feed.url.replace('https:', 'http:'), contentOf(laptop));
      expect(error).to.include({ code: 'peer_unreachable' });
      expect(error?.hint).to.include('https://');
    });

    it('takes new certificates of either side, without being opened anew', async () => {
      await serve(desktop, true);
      const source = { current: contentOf(laptop) as ClientTls };
      const connection = openConnection({ ...targetOf(feed.url), tls: source });
      const ask = () => connection.send({ method: 'GET', path: '/health' }, new AbortController().signal);
      expect((await ask()).status).to.equal(200);
      const both = Buffer.concat([readFileSync(ours.ca), readFileSync(theirs.ca)]);
      feed.listening.renewTls({ ...serverOf(theirs.issue('desktop'), true), ca: both });
      source.current = { ...contentOf(laptop), ca: readFileSync(theirs.ca) };
      expect((await ask()).status).to.equal(200);
      source.current = { ...contentOf(theirs.issue('laptop')) };
      expect((await ask()).status).to.equal(200);
      source.current = contentOf(laptop);
      const error = await ask().catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(SyncError).and.include({ code: 'peer_untrusted' });
      await connection.close();
    });
  });
});

function serverOf(files: CertificateFiles, askClient: boolean): ServerTls {
  return { ...contentOf(files), askClient };
}

function targetOf(address: string) {
  return { name: 'desktop', address, apiKey: null, connectTimeoutMs: 2000, requestTimeoutMs: 5000 };
}

function connectionTo(address: string, tls: ClientTls) {
  return openConnection({ ...targetOf(address), tls: { current: tls } });
}

/** What becomes of a pull's first question, with up to three attempts; null where it is answered. */
async function failure(address: string, tls: ClientTls, onAttempt?: () => void): Promise<SyncError | null> {
  const connection = connectionTo(address, tls);
  const { network } = testConfig({ network: { maxRetries: 2 } });
  const client = createPeerClient(connection, 'laptop', Date.now);
  const { signal } = new AbortController();
  try {
    await createAttempts('desktop', network).run(() => {
      onAttempt?.();
      return client.health(signal);
    }, signal);
    return null;
  } catch (error) {
    if (error instanceof SyncError) return error;
    throw error;
  } finally {
    await connection.close();
  }
}
