import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '#src/config/load.js';
import { scratchFile, scratchFolder } from '../scratch.js';
import { thrownBy } from '../thrown.js';

const MINIMAL = 'node: { id: desktop }\ndatabase: { path: ./app.db }\n';
const LONG_KEY = 'k'.repeat(40);

function load(text: string, environment: Record<string, string> = {}) {
  return loadConfig(scratchFile(text), environment);
}

/** What a file is refused with, without the file's name before it. */
function refusal(text: string, environment: Record<string, string> = {}) {
  const file = scratchFile(text);
  const error = thrownBy(() => loadConfig(file, environment));
  expect(error.exitCode).to.equal(2);
  expect(error.message).to.contain(file);
  return { code: error.code, message: error.message.replace(`${file}: `, ''), hint: error.hint };
}

describe('loadConfig', () => {
  it('fills in every default', () => {
    const config = load(MINIMAL);
    expect(config.node).to.deep.equal({
      id: 'desktop',
      name: 'desktop',
      listen: { host: '127.0.0.1', port: 8091 },
    });
    expect(config.database).to.deep.equal({
      path: join(dirname(config.file), 'app.db'),
      wal: true,
      synchronous: 'normal',
      busyTimeoutMs: 5000,
      walAutocheckpointPages: 1000,
      checkpointIntervalMs: 300_000,
      walRestartAboveBytes: 50 * 1024 * 1024,
      walWarnAboveBytes: 100 * 1024 * 1024,
      lowDiskBytes: 100 * 1024 * 1024,
      maintenance: '0 0 2 * * *',
    });
    expect(config.tables).to.deep.equal([]);
    expect(config.peers).to.deep.equal([]);
    expect(config.sync).to.deep.equal({ intervalMs: 30_000, schedule: null, pageSize: 1000, live: true });
    expect(config.network).to.deep.equal({
      connectTimeoutMs: 2000,
      requestTimeoutMs: 30_000,
      reconnectIntervalMs: 30_000,
      maxRetries: 3,
      retryBackoffMs: 1000,
      breakerFailures: 5,
      breakerCooldownMs: 30_000,
      compression: 'auto',
      discovery: false,
      discoveryInterface: null,
    });
    expect(config.clock).to.deep.equal({ maxSkewMs: 5000, abortSkewMs: 60_000, requireNtp: 'warn' });
    expect(config.security).to.deep.equal({
      apiKeyEnv: 'SYNC_API_KEY',
      minKeyLength: 32,
      apiKeys: [],
      tls: null,
      rateLimit: 100,
      rateLimitBurst: 10,
    });
    expect(config.log.file).to.equal(null);
  });

  it('reads tables with one key column or several', () => {
    const tables =
      'tables:\n- { name: words, primary_key: id }\n- { name: p, primary_key: [a, b] }\n- { name: q }\n';
    const keys = load(MINIMAL + tables).tables.map((table) => table.primaryKey);
    expect(keys).to.deep.equal([['id'], ['a', 'b'], null]);
  });

  it('takes a section with nothing in it as its defaults', () => {
    const config = load(`${MINIMAL}tables:\npeers:\nnetwork:\nsync:\n  # interval: 1s\n`);
    expect(config.sync.intervalMs).to.equal(30_000);
    expect(config.tables).to.deep.equal([]);
  });

  it('resolves relative paths against the folder of the file', () => {
    const config = load(`${MINIMAL}log: { file: logs/sync.log }\n`);
    expect(config.log.file).to.equal(join(dirname(config.file), 'logs', 'sync.log'));
    const elsewhere = scratchFolder();
    expect(load(`node: { id: a }\ndatabase: { path: "${elsewhere}/x.db" }`).database.path).to.equal(
      join(elsewhere, 'x.db'),
    );
  });

  it('returns something frozen through and through', () => {
    const config = load(`${MINIMAL}tables: [{ name: words }]\n`);
    expect(Object.isFrozen(config)).to.equal(true);
    expect(Object.isFrozen(config.node.listen)).to.equal(true);
    expect(Object.isFrozen(config.tables)).to.equal(true);
    expect(Object.isFrozen(config.tables[0]?.excludeColumns)).to.equal(true);
  });

  it('lists every fault at once with its path', () => {
    const { code, message } = refusal(`
node: { id: "my node" }
database: { path: ./app.db, synchronous: sometimes }
tables: [{ name: words, exclude_columns: x }, { name: words }]
peers: [{ name: macbook, address: nowhere }]
sync: { interval: 30, page_size: 10001 }
clock: { max_skew: 1m, abort_skew: 1s }
`);
    expect(code).to.equal('config_invalid');
    expect(message).to.contain('7 faults: ');
    expect(message).to.contain('node.id: expected a node id: 1 to 64 letters, digits, . _ -, got "my node"');
    expect(message).to.contain(
      'database.synchronous: expected one of off, normal, full, extra, got "sometimes"',
    );
    expect(message).to.contain('tables[0].exclude_columns: expected a list, got "x"');
    expect(message).to.contain('peers[0].address: expected http://host:port');
    expect(message).to.contain('sync.interval: expected a duration');
    expect(message).to.contain('sync.page_size: expected a whole number from 1 to 10000, got 10001');
    expect(message).to.contain('clock.abort_skew: expected to be at least max_skew');
  });

  it('lets a peer that is fed be without an address where it can be found', () => {
    const peer = 'peers: [{ name: macbook, direction: both }]\n';
    const found = load(`${MINIMAL}${peer}network: { discovery: true }`);
    expect(found.peers).to.deep.equal([{ name: 'macbook', address: null, direction: 'both' }]);
  });

  it('takes an IPv4 address as the interface for discovery, and nothing else', () => {
    const network = load(`${MINIMAL}network: { discovery_interface: 192.168.1.10 }`).network;
    expect(network.discoveryInterface).to.equal('192.168.1.10');
    expect(refusal(`${MINIMAL}network: { discovery_interface: eth0 }`).message).to.contain(
      'network.discovery_interface: expected an IPv4 address of this machine',
    );
  });

  it('refuses an unknown key and names the nearest one that exists', () => {
    expect(refusal(`${MINIMAL}sync: { intervall: 30s }`).message).to.equal(
      'sync.intervall: unknown key; did you mean interval?',
    );
    expect(refusal(`${MINIMAL}frobnicate: 1`).message).to.equal('frobnicate: unknown key');
    expect(refusal(`${MINIMAL}tables: [{ name: a, timestamp_colum: x }]`).message).to.equal(
      'tables[0].timestamp_colum: unknown key; did you mean timestamp_column?',
    );
    expect(refusal(`${MINIMAL}"odd key": 1`).message).to.contain('["odd key"]: unknown key');
  });

  it('refuses a key that does not exist yet rather than ignoring it', () => {
    for (const text of [
      'clock: { ntp_server: x }',
      'security: { tls: { passphrase: x } }',
      'tables: [{ name: a, merge: x }]',
      'backup: { folder: ./backups }',
    ]) {
      expect(refusal(`${MINIMAL}${text}`).message, text).to.contain('unknown key');
    }
  });

  it('refuses what is no mapping', () => {
    expect(refusal('[1, 2]').message).to.contain('expected a mapping of keys to values, got a list');
    expect(refusal(`${MINIMAL}sync: fast`).message).to.contain('sync: expected a mapping of keys to values');
    expect(refusal('').message).to.contain('node.id').and.to.contain('database.path');
  });

  it('refuses a table, a column and a peer that stand there twice', () => {
    expect(refusal(`${MINIMAL}tables: [{ name: a }, { name: A }]`).message).to.equal(
      'tables[1].name: table "A" is named already in tables[0]',
    );
    expect(refusal(`${MINIMAL}tables: [{ name: a, primary_key: [x, X] }]`).message).to.contain(
      'tables[0].primary_key[1]: column "X" is named twice',
    );
    const twice = 'peers: [{ name: a, address: "h:1" }, { name: a, address: "http://H:1/" }]';
    expect(refusal(MINIMAL + twice).message)
      .to.contain('peers[1].name: a is named already in peers[0]')
      .and.to.contain('peers[1].address: is the address of peers[0] already');
  });

  it('takes a peer without an address, which without discovery can not be fed over our connections', () => {
    const { peers } = load(
      `${MINIMAL}peers: [{ name: a }, { name: b, address: null }, { name: c, address: "h:1", direction: both }]`,
    );
    expect(peers).to.deep.equal([
      { name: 'a', address: null, direction: 'pull' },
      { name: 'b', address: null, direction: 'pull' },
      { name: 'c', address: 'http://h:1', direction: 'both' },
    ]);
    expect(refusal(`${MINIMAL}peers: [{ name: a, direction: both }]`).message).to.equal(
      'peers[0].address: expected an address (or network.discovery: true, which finds the peer): with direction: both we connect to it',
    );
    expect(refusal(`${MINIMAL}peers: [{ name: a, direction: push }]`).message).to.contain(
      'peers[0].direction: expected one of pull, both',
    );
  });

  it('refuses a peer that is called like this replica', () => {
    const { message, hint } = refusal(`${MINIMAL}peers: [{ name: desktop, address: "h:1" }]`);
    expect(message).to.equal("peers[0].name: desktop is this replica's own node id");
    expect(hint).to.contain('node id of its own');
  });

  it('takes a cron line of six fields only', () => {
    expect(load(`${MINIMAL}sync: { schedule: "*/10 * * * * *" }`).sync.schedule).to.equal('*/10 * * * * *');
    expect(refusal(`${MINIMAL}sync: { schedule: "* * * * *" }`).message).to.contain(
      'cron line of six fields',
    );
    expect(refusal(`${MINIMAL}sync: { schedule: "99 * * * * *" }`).message).to.contain('sync.schedule');
  });

  describe('with environment variables', () => {
    it('replaces them, and takes defaults for those that are not set or empty', () => {
      const text = 'node: { id: "${ID}-${PLACE:-home}" }\ndatabase: { path: "${DIR:-.}/app.db" }\n';
      const config = load(text, { ID: 'a', PLACE: '', DIR: '/data' });
      expect(config.node.id).to.equal('a-home');
      expect(config.database.path).to.equal('/data/app.db');
    });

    it('reads numbers and flags from them', () => {
      const config = load(
        'node: { id: a }\ndatabase: { path: x, wal: "${WAL}" }\nsync: { page_size: "${N}" }',
        {
          WAL: 'false',
          N: '7',
        },
      );
      expect(config.database.wal).to.equal(false);
      expect(config.sync.pageSize).to.equal(7);
    });

    it('names the path of one that is not set, and nothing that follows from it', () => {
      const { code, message, hint } = refusal('node: { id: "${ID}" }\ndatabase: { path: x }');
      expect(code).to.equal('variable_unset');
      expect(message).to.equal('node.id: the environment variable ID is not set');
      expect(hint).to.contain('Set ID');
    });

    it('refuses a reference that is none, and takes $${ for the characters', () => {
      expect(refusal('node: { id: a, name: "${1}" }\ndatabase: { path: x }').message).to.contain('node.name');
      expect(load('node: { id: a, name: "$${x}" }\ndatabase: { path: x }').node.name).to.equal('${x}');
    });
  });

  describe('looks at the key', () => {
    const EVERYWHERE = 'node: { id: a, listen: "0.0.0.0:8091" }\ndatabase: { path: x }\n';

    it('and needs one to listen where other machines can reach it', () => {
      const { code, message, hint } = refusal(EVERYWHERE);
      expect(code).to.equal('key_missing');
      expect(message).to.contain('node.listen: 0.0.0.0').and.to.contain('SYNC_API_KEY');
      expect(hint).to.contain('keygen');
      expect(load(EVERYWHERE, { SYNC_API_KEY: LONG_KEY }).security.apiKeys).to.deep.equal([LONG_KEY]);
    });

    it('and takes several, also on loopback', () => {
      const keys = load(MINIMAL, { SYNC_API_KEY: `${LONG_KEY}, ${LONG_KEY}2,` }).security.apiKeys;
      expect(keys).to.deep.equal([LONG_KEY, `${LONG_KEY}2`]);
    });

    it('and refuses each that is too short, by its place', () => {
      const { code, message } = refusal(MINIMAL, { SYNC_API_KEY: `${LONG_KEY},short` });
      expect(code).to.equal('key_too_short');
      expect(message).to.equal(
        'security.api_key_env: key 2 of 2 in SYNC_API_KEY is too short: 5 characters, where min_key_length is 32',
      );
    });

    it('and refuses one that no header can carry', () => {
      expect(refusal(MINIMAL, { SYNC_API_KEY: 'ä'.repeat(40) }).code).to.equal('key_invalid');
    });

    it('under the name that the file gives', () => {
      const text = `${MINIMAL}security: { api_key_env: OTHER, min_key_length: 41 }`;
      expect(refusal(text, { OTHER: LONG_KEY }).message).to.contain('in OTHER is too short');
    });

    it('and never shows it, wherever it was put', () => {
      const secret = 'VerySecretKeyMaterial-0123456789-abcdefghij';
      const texts = [
        `${MINIMAL}security: { api_key_env: ${'${KEY}'} }`.replace('${KEY}', '"${KEY}"'),
        'node: { id: "${KEY} x" }\ndatabase: { path: x }',
        `${MINIMAL}peers: [{ name: b, address: "http://user:${secret}@host:1" }]`,
        `node: { id: [\n${secret}`,
        `node: { id: a } ${secret}`,
      ];
      for (const text of texts) {
        expect(refusal(text, { KEY: secret, SYNC_API_KEY: secret }).message, text).not.to.contain(
          'VerySecret',
        );
      }
    });
  });

  describe('says of the file', () => {
    it('that it is missing, and how to make one', () => {
      const error = thrownBy(() => loadConfig(join(scratchFolder(), 'none.yaml')));
      expect(error.code).to.equal('config_missing');
      expect(error.exitCode).to.equal(2);
      expect(error.hint).to.contain('init --db');
    });

    it('where its syntax breaks', () => {
      const { code, message } = refusal('node:\n  id: a\n bad: 1\n');
      expect(code).to.equal('config_syntax');
      expect(message).to.match(/^line 3, column \d+: /);
    });

    it('that a key stands there twice', () => {
      expect(refusal('node: { id: a }\nnode: { id: b }').message).to.match(/^line 2, column 1: .*unique/);
    });

    it('that it is a folder, or no text', () => {
      expect(thrownBy(() => loadConfig(scratchFolder())).code).to.equal('config_unreadable');
      expect(thrownBy(() => loadConfig(scratchFile(new Uint8Array([0xff, 0xfe, 0x80])))).code).to.equal(
        'config_unreadable',
      );
    });

    it('nothing that takes for ever when its aliases multiply or run in a circle', () => {
      const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
      for (let level = 1; level < 12; level++) {
        const previous = `*${String.fromCharCode(96 + level)}`;
        const name = String.fromCharCode(97 + level);
        bomb.push(`${name}: &${name} [${Array(9).fill(previous).join(', ')}]`);
      }
      expect(refusal(bomb.join('\n')).code).to.equal('config_invalid');
      expect(refusal(`${MINIMAL}peers: &p [*p]`).code).to.be.oneOf(['config_invalid', 'config_syntax']);
    });
  });
});
