import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { loadConfig } from '#src/config/load.js';
import { KEY_HEADER } from '#src/wire/http.js';
import type { StatusReport } from '#src/replica/status.js';
import { countOf, execute, expectSameContent } from '../replication/content.js';
import { runCli, runCliWell } from '../replication/command-line.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { ReplicaGroup, until, type Replica, type Settings } from '../replication/group.js';
import { scratchFolder } from '../scratch.js';
import { Authority, contentOf, type CertificateFiles } from './authority.js';

const SCHEMA = 'CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER);';
const TABLES = [{ name: 'words', timestamp_column: 'updated_at' }];
const KEYS = { words: ['id'] };
const OFTEN = { sync: { interval: '100ms' } };
const MUTUAL = { cert: 'node.crt', key: 'node.key', ca: 'ca.crt', require_client_cert: true };

async function create(
  peers: Readonly<Record<string, readonly string[]>>,
  settings: Settings,
): Promise<ReplicaGroup> {
  const group = await ReplicaGroup.create({ tables: TABLES, peers, settings });
  for (const replica of group.replicas) replica.create(SCHEMA);
  return group;
}

function addWord({ database, name }: Replica, id: string): void {
  execute(database, `INSERT INTO words VALUES ('${id} of ${name}', 'word', 1700000000000)`);
}

function wordsIn(group: ReplicaGroup): number[] {
  return group.replicas.map(({ database }) => countOf(database, 'words'));
}

withPrograms(['openssl'], () => {
  describe('Two daemons over mutual TLS', function () {
    this.timeout(120_000);
    let group: ReplicaGroup;
    let ours: Authority;
    let desktop: Replica;
    let laptop: Replica;
    before(() => {
      ours = new Authority();
    });
    beforeEach(async () => {
      group = await create(
        { desktop: ['laptop'], laptop: ['desktop'] },
        { ...OFTEN, security: { tls: MUTUAL } },
      );
      [desktop, laptop] = group.replicas as [Replica, Replica];
      for (const replica of group.replicas) {
        const text = readFileSync(replica.configFile, 'utf8');
        writeFileSync(replica.configFile, text.replace('address: 127.', 'address: https://127.'));
        await replica.join();
        issueTo(replica);
      }
    });
    afterEach(() => group.remove());

    const issueTo = (replica: Replica, names?: string): CertificateFiles =>
      ours.issueTo(dirname(replica.configFile), replica.name, names === undefined ? {} : { names });

    it('bring a peer that can not be reached what it lacks', async () => {
      const edit = ({ configFile }: Replica, change: (text: string) => string) => {
        writeFileSync(configFile, change(readFileSync(configFile, 'utf8')));
      };
      edit(laptop, (text) => text.replace(/( +)(address: .*)/, '$1$2\n$1direction: both'));
      edit(desktop, (text) => text.replace(/\n +address: .*/, ''));
      await Promise.all([desktop.start(), laptop.start()]);
      addWord(laptop, 'a');
      await until(() => countOf(desktop.database, 'words') === 1, 'the word on the desktop');
    });

    it('hear of changes at once', async () => {
      for (const { configFile } of [desktop, laptop]) {
        const text = readFileSync(configFile, 'utf8');
        writeFileSync(
          configFile,
          text.replace('live: false', 'live: true').replace('interval: 100ms', 'interval: 1h'),
        );
      }
      await Promise.all([desktop.start(), laptop.start()]);
      await until(async () => await isLive(laptop), 'a question that is held');
      addWord(desktop, 'a');
      await until(() => countOf(laptop.database, 'words') === 1, 'the word on the laptop');
    });

    it('replicate, and answer the commands of their machine, whatever names their certificates have', async () => {
      issueTo(desktop, 'DNS:desktop.lan');
      issueTo(laptop, 'IP:127.0.0.1');
      await Promise.all([desktop.start(), laptop.start()]);
      addWord(laptop, 'a');
      await until(() => countOf(desktop.database, 'words') === 1, 'the word on the desktop');
      expect(await desktop.cli('trigger', 'laptop')).to.include('pulls from laptop');
      const status = JSON.parse(await desktop.cli('status', '--json')) as StatusReport;
      expect(status).to.include({ running: true, node: 'desktop' });
      // the laptop reaches the desktop by an address that is not in its certificate
      const failed = await laptop.logged('pull failed');
      expect(failed).to.include({ errorCode: 'peer_untrusted', level: 'warn' });
      await until(async () => (await pullsOf(laptop)) >= 3, 'further attempts');
      expect(laptop.log.filter(({ message }) => message === 'pull failed')).to.have.length(1);
    });

    it('take over new certificates while they replicate, without a failed pull', async () => {
      await Promise.all([desktop.start(), laptop.start()]);
      addWord(desktop, 'before');
      await until(() => wordsIn(group).every((words) => words === 1), 'the first word everywhere');
      const before = await shownBy(desktop);
      const lengths = group.replicas.map(({ log }) => log.length);
      for (const replica of group.replicas) issueTo(replica);
      await Promise.all(group.replicas.map((replica) => replica.logged('certificates were read again')));
      expect(await shownBy(desktop)).to.not.equal(before);
      for (const replica of group.replicas) addWord(replica, 'after');
      await until(() => wordsIn(group).every((words) => words === 3), 'all words everywhere');
      expectSameContent(group.files, KEYS);
      for (const [place, { log }] of group.replicas.entries()) {
        const since = log.slice(lengths[place]);
        expect(since.filter(({ message }) => /pull failed|peer is lost|refused/.test(message))).to.deep.equal(
          [],
        );
      }
    });

    it('are joined by a clone that is made over it, and whose configuration names its certificate', async () => {
      addWord(desktop, 'a');
      await desktop.start();
      const folder = scratchFolder();
      const { ca, cert, key } = ours.issueTo(folder, 'phone');
      const address = desktop.address.replace('http:', 'https:');
      const config = join(folder, 'sync-config.yaml');
      const database = join(folder, 'app.db');
      const clone = ['clone', address, '--db', database, '--node', 'phone', '--config', config, '--json'];
      const report = JSON.parse(
        await runCliWell([...clone, '--ca', ca, '--cert', cert, '--cert-key', key]),
      ) as Record<string, unknown>;
      expect(report).to.include({ pull_error: null, copy: false });
      expect(countOf(database, 'words')).to.equal(1);
      expect(loadConfig(config, {}).security.tls).to.deep.equal({
        certFile: cert,
        keyFile: key,
        caFile: ca,
        requireClientCert: false,
      });
    });

    it('do not start with a certificate that can not be used, and say which and why', async () => {
      ours.issueTo(dirname(desktop.configFile), 'desktop', { days: -1 });
      const started = await runCli(['start', '--config', desktop.configFile]);
      expect(started.code).to.equal(2);
      expect(started.stderr).to.match(/security\.tls\.cert: .*node\.crt has expired/);
    });

    async function isLive(replica: Replica): Promise<boolean> {
      const { peers } = JSON.parse(await replica.cli('status', '--json')) as StatusReport;
      return peers[0]?.pull?.live === true;
    }

    /** How often the daemon has asked, as it tells by its status. */
    let last = 0;
    let asked = 0;
    async function pullsOf(replica: Replica): Promise<number> {
      const { peers } = JSON.parse(await replica.cli('status', '--json')) as StatusReport;
      const attemptMs = peers[0]?.pull?.last_attempt_ms ?? 0;
      if (attemptMs !== last) asked += 1;
      last = attemptMs;
      return asked;
    }

    async function shownBy(replica: Replica): Promise<string | undefined> {
      const { port, hostname: host } = new URL(replica.address);
      const { ca } = contentOf(issuedTo(replica));
      const socket = connect({ port: Number(port), host, ca });
      await once(socket, 'secureConnect');
      const shown = socket.getPeerX509Certificate()?.fingerprint256;
      socket.end();
      return shown;
    }
  });
});

function issuedTo({ configFile }: Replica): CertificateFiles {
  const folder = dirname(configFile);
  return { cert: `${folder}/node.crt`, key: `${folder}/node.key`, ca: `${folder}/ca.crt` };
}

describe('A key', function () {
  this.timeout(180_000);
  const OLD = 'old-key-'.repeat(4);
  const NEW = 'new-key-'.repeat(4);
  let group: ReplicaGroup;
  afterEach(() => group.remove());

  it('is changed on three daemons one after the other without a refused pull, and stands in no log', async () => {
    group = await create({ a: ['b', 'c'], b: ['a', 'c'], c: ['a', 'b'] }, OFTEN);
    await Promise.all(group.replicas.map((replica) => replica.join()));
    const restart = async (replica: Replica, keys: string) => {
      if (replica.isRunning) await replica.stop();
      replica.environment = { SYNC_API_KEY: keys };
      await replica.start();
    };
    const logs: string[] = [];
    const keep = ({ daemon }: Replica) => logs.push(...daemon.lines, daemon.errors);
    await Promise.all(group.replicas.map((replica) => restart(replica, OLD)));
    let written = 0;
    for (const keys of [`${OLD},${NEW}`, `${NEW},${OLD}`, NEW]) {
      for (const replica of group.replicas) {
        keep(replica);
        await restart(replica, keys);
        addWord(replica, keys.slice(0, 3) + String(written));
        written += 1;
        await until(() => wordsIn(group).every((words) => words === written), `${written} words everywhere`);
      }
    }
    group.replicas.forEach(keep);
    expect(logs.filter((line) => /pull failed|refused/.test(line))).to.deep.equal([]);
    expect(logs.join('\n')).to.not.include('old-key-').and.not.include('new-key-');
    const [first] = group.replicas as [Replica];
    expect((await first.fetch('/sync/status', { headers: { [KEY_HEADER]: OLD } })).status).to.equal(401);
    const status = await first.fetch('/sync/status', { headers: { [KEY_HEADER]: NEW } });
    expect(await status.text()).to.not.include('new-key-');
    expectSameContent(group.files, KEYS);
  });
});
