import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'chai';
import { openRoaming } from '#src/pull/roaming.js';
import { LocalNetwork, type Machine, type MachineOptions } from '../discovery/local-network.js';
import { serveFeed } from '../feed/serve.js';
import { freePort } from '../pull/peer-server.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { until } from '../replication/group.js';
import { addWords, wordsOf } from '../stand-ins/database-file.js';
import { Authority, contentOf } from './authority.js';

const MUTUAL = 'security:\n  tls: { cert: node.crt, key: node.key, ca: ca.crt, require_client_cert: true }\n';

withPrograms(['openssl'], () => {
  describe('A replica over https that discovery finds', function () {
    this.timeout(120_000);
    const network = new LocalNetwork();
    let ours: Authority;
    before(() => {
      ours = new Authority();
    });
    afterEach(() => network.end());

    /** Its certificate names its node id only, not the address where it is found. */
    async function machine(name: string, authority = ours, options: MachineOptions = {}): Promise<Machine> {
      const made = await network.machine(name, { ...options, lines: MUTUAL });
      authority.issueTo(dirname(made.file), made.node, { names: `DNS:${made.node}` });
      return made;
    }

    it('is announced as such, accepted, and followed to another address', async () => {
      const a = await machine('a');
      const b = await machine('b');
      addWords(b.app, 'first');
      await network.start(a);
      const first = await network.start(b);
      await network.found(a, b);
      const { found } = await network.statusOf(a);
      expect(found.find(({ node }) => node === b.node)?.addresses).to.include(`https://127.0.0.1:${b.port}`);
      expect(wordsOf(a.app)).to.deep.equal([]);

      const accepted = await network.run(a, 'peers', 'accept', b.node);
      expect(accepted.code, accepted.stderr).to.equal(0);
      await until(() => wordsOf(a.app).length === 1, 'the word of the accepted one');

      await first.end('SIGTERM');
      const moved = network.move(b, await freePort());
      addWords(b.app, 'second');
      await network.start(b);
      await network.run(a, 'trigger', b.node);
      await until(() => wordsOf(a.app).length === 2, 'the word from the other address');
      const [peer] = (await network.statusOf(a)).peers;
      expect(peer).to.include({ address: null, found_at: `https://127.0.0.1:${moved.port}` });
      for (const args of [
        ['verify', '--peer', b.node],
        ['sync', '--peer', b.node],
      ]) {
        const { code, stdout, stderr } = await network.run(a, ...args);
        expect(code, stdout + stderr).to.equal(0);
      }
    });

    it('is not accepted with the certificate of another authority, whatever its key', async () => {
      const a = await machine('a');
      const b = await machine('b', new Authority());
      addWords(b.app, 'theirs');
      await network.start(a);
      await network.start(b);
      await network.found(a, b);
      const refused = await network.run(a, 'peers', 'accept', b.node);
      expect(refused.code).to.equal(1);
      expect(refused.stderr).to.contain('does not prove').and.to.contain('certificate of our authority');
      expect(readFileSync(a.file, 'utf8')).to.not.contain(b.node);
      expect(wordsOf(a.app)).to.deep.equal([]);
    });
  });

  describe('A connection that discovery leads', () => {
    const KEY = 'k'.repeat(32);
    const ends: (() => Promise<unknown>)[] = [];
    let ours: Authority;
    before(() => {
      ours = new Authority();
    });
    afterEach(async () => {
      await Promise.all(ends.splice(0).map((end) => end()));
    });

    /** The URL of `desktop`, whose certificate has these names. */
    async function serve(names: string | null, authority = ours): Promise<string> {
      const tls =
        names === null ? null : { ...contentOf(authority.issue('desktop', { names })), askClient: false };
      const feed = await serveFeed({ apiKeys: [KEY], provesKeys: true }, { tls });
      ends.push(() => feed.close());
      return feed.url;
    }

    /** The status of its answer, or the code of the failure. */
    async function asked(address: string | null, announced: string): Promise<unknown> {
      let place: string | null = null;
      const finder = {
        addressesOf: () => [announced],
        placeOf: () => place,
        onMoved: (_node: string, to: string) => {
          place = to;
        },
      };
      const tls = { current: { ca: readFileSync(ours.ca) } };
      const times = { connectTimeoutMs: 2000, requestTimeoutMs: 5000 };
      const connection = openRoaming({ name: 'desktop', address, apiKey: KEY, ...times, tls }, finder);
      ends.push(() => connection.close());
      try {
        const { signal } = new AbortController();
        return (await connection.send({ method: 'GET', path: '/sync/status' }, signal)).status;
      } catch (error) {
        return (error as { code?: unknown }).code;
      }
    }

    it('goes to a certificate that names the found address, the node id, or the configured host', async () => {
      expect(await asked(null, await serve('IP:127.0.0.1'))).to.equal(200);
      expect(await asked(null, await serve('DNS:desktop'))).to.equal(200);
      const gone = `https://localhost:${await freePort()}`;
      expect(await asked(gone, await serve('DNS:localhost'))).to.equal(200);
    });

    it('goes to no certificate with another name, nor of another authority', async () => {
      expect(await asked(null, await serve('DNS:laptop'))).to.equal('peer_unreachable');
      const gone = `https://localhost:${await freePort()}`;
      expect(await asked(gone, await serve('DNS:laptop'))).to.equal('peer_unreachable');
      expect(await asked(null, await serve('DNS:desktop', new Authority()))).to.equal('peer_unreachable');
    });

    it('leaves an address where another replica shows its certificate now', async () => {
      const taken = await serve('DNS:laptop');
      expect(await asked(taken, await serve('IP:127.0.0.1'))).to.equal(200);
    });

    it('never goes on by http where there are certificates', async () => {
      expect(await asked(null, await serve(null))).to.equal('peer_unreachable');
    });
  });
});
