import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { runCli, runCliWell, type CliResult } from '../replication/command-line.js';
import { freePorts, ReplicaGroup } from '../replication/group.js';
import { scratchFolder } from '../scratch.js';

interface Mistake {
  readonly title: string;
  readonly command: readonly string[];
  /** Of a sound configuration, changed by this; text is the whole file. */
  readonly config?: Readonly<Record<string, unknown>> | string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly code: 1 | 2;
  readonly says: RegExp;
  readonly advises: RegExp;
}

const SHORT_KEY = 'too-short-to-be-a-key';
const OPEN = { id: 'desktop', listen: '0.0.0.0:8091' };
const WORDS = { name: 'words', timestamp_column: 'updated_at' };
/** Where nothing listens. */
const NOWHERE = '127.0.0.1:1';

const MISTAKES: readonly Mistake[] = [
  {
    title: 'a value that is none',
    command: ['status'],
    config: { sync: { interval: 'soon' } },
    code: 2,
    says: /sync-config\.yaml: sync\.interval: expected a duration .*, got "soon"/,
    advises: /config\.example\.yaml/,
  },
  {
    title: 'several faults at once',
    command: ['status'],
    config: { sync: { interval: 'soon', page_size: 0 }, node: { id: 'no spaces' } },
    code: 2,
    says: /3 faults: (?=.*node\.id: )(?=.*sync\.interval: )(?=.*sync\.page_size: )/,
    advises: /Correct the file/,
  },
  {
    title: 'a file that is no YAML',
    command: ['status'],
    config: 'node:\n  id: "desktop\n',
    code: 2,
    says: /sync-config\.yaml: line \d+, column \d+: /,
    advises: /indentation and quotes/,
  },
  {
    title: 'an unknown key',
    command: ['migrate'],
    config: { sync: { intervall: '30s' } },
    code: 2,
    says: /sync\.intervall: unknown key; did you mean interval\?/,
    advises: /config\.example\.yaml/,
  },
  {
    title: 'a variable that is not set',
    command: ['start'],
    config: { database: { path: '${NO_SUCH_VARIABLE_HERE}' } },
    code: 2,
    says: /database\.path: the environment variable NO_SUCH_VARIABLE_HERE is not set/,
    advises: /Set NO_SUCH_VARIABLE_HERE, or give it a default/,
  },
  {
    title: 'a configuration file that is not there',
    command: ['start', '--config', 'nowhere.yaml'],
    code: 2,
    says: /there is no configuration file .*nowhere\.yaml/,
    advises: /sync-config|init --db/,
  },
  {
    title: 'a database file that is not there',
    command: ['migrate'],
    config: { database: { path: './nowhere.db' } },
    code: 1,
    says: /no database file at .*nowhere\.db/,
    advises: /Correct database\.path/,
  },
  {
    title: 'a file that is no database',
    command: ['migrate'],
    config: { database: { path: './sync-config.yaml' } },
    code: 1,
    says: /sync-config\.yaml is not a SQLite database/,
    advises: /Correct database\.path/,
  },
  {
    title: 'init on a file that is no database',
    command: ['init', '--db', 'sync-config.yaml', '--print'],
    code: 1,
    says: /is not a SQLite database/,
    advises: /--db FILE/,
  },
  {
    title: 'init where there is a configuration already',
    command: ['init', '--db', 'app.db'],
    code: 1,
    says: /sync-config\.yaml exists already/,
    advises: /--force/,
  },
  {
    title: 'a table that is not there',
    command: ['migrate'],
    config: { tables: [{ name: 'wodrs' }] },
    code: 2,
    says: /tables\[0\]\.name: no such table "wodrs"; did you mean "words"\?/,
    advises: /Correct the file/,
  },
  {
    title: 'a column that is not there',
    command: ['migrate'],
    config: { tables: [{ name: 'words', timestamp_column: 'update_at' }] },
    code: 2,
    says: /tables\[0\]\.timestamp_column: no such column "update_at" in table "words"; did you mean "updated_at"\?/,
    advises: /Correct the file/,
  },
  {
    title: 'a table that can not be replicated',
    command: ['migrate'],
    config: { tables: [{ name: 'counters' }] },
    code: 2,
    says: /tables\[0\]: table "counters" has an INTEGER PRIMARY KEY/,
    advises: /UUID text/,
  },
  ...['start', 'backfill', 'sync', 'status'].map((command): Mistake => ({
    title: `${command} before migrate`,
    command: [command],
    code: 1,
    says: /not prepared for replication/,
    advises: /Run: sqlite-p2p-sync migrate/,
  })),
  {
    title: 'a feed that other machines reach, without a key',
    command: ['start'],
    config: { node: OPEN },
    code: 2,
    says: /node\.listen: 0\.0\.0\.0 can be reached by other machines, which needs a key in .* SYNC_API_KEY/,
    advises: /keygen/,
  },
  {
    title: 'a key that is too short, which is not shown',
    command: ['start'],
    config: { node: OPEN },
    env: { SYNC_API_KEY: SHORT_KEY },
    code: 2,
    says: /^(?!.*too-short-to-be-a-key).*the key in SYNC_API_KEY is too short: 21 characters, where min_key_length is 32/,
    advises: /keygen/,
  },
  {
    title: 'a peer that has our own node id',
    command: ['start'],
    config: { peers: [{ name: 'desktop', address: NOWHERE }] },
    code: 2,
    says: /peers\[0\]\.name: desktop is this replica's own node id/,
    advises: /a node id of its own/,
  },
  {
    title: 'an unknown command',
    command: ['strat'],
    code: 2,
    says: /unknown command 'strat'/,
    advises: /Did you mean start\?/,
  },
  {
    title: 'help of an unknown command',
    command: ['help', 'statsu'],
    code: 2,
    says: /unknown command 'statsu'/,
    advises: /Did you mean status\?/,
  },
  {
    title: 'an unknown option',
    command: ['start', '--daemon'],
    code: 2,
    says: /unknown option '--daemon'/,
    advises: /--help/,
  },
  {
    title: 'migrate --purge without --down',
    command: ['migrate', '--purge'],
    code: 2,
    says: /--purge goes with --down/,
    advises: /migrate --down --purge/,
  },
  {
    title: 'trigger without a daemon',
    command: ['trigger'],
    config: { node: { id: 'desktop', listen: NOWHERE } },
    code: 1,
    says: /no daemon answers at http:\/\/127\.0\.0\.1:1/,
    advises: /sqlite-p2p-sync start/,
  },
];

/** What its owner gets to read, and what a script gets to know. */
describe('A mistake', function () {
  this.timeout(30_000);
  let folder: string;

  beforeEach(() => {
    folder = scratchFolder();
    createDatabase(join(folder, 'app.db'));
    configure({});
  });

  for (const { title, command, config, env, code, says, advises } of MISTAKES) {
    it(`is one line with its remedy: ${title}`, async () => {
      if (config !== undefined) configure(config);
      const result = await runCli(command, { cwd: folder, env: env ?? {} });
      expectOneLine(result);
      expect(result.stderr).to.match(says).and.to.match(advises);
      expect(result).to.include({ code, stdout: '' });
    });
  }

  it('is a JSON document too with --json', async () => {
    const { code, stdout, stderr } = await runCli(['status', '--json'], { cwd: folder });
    expect(code).to.equal(1);
    const { error } = JSON.parse(stdout) as { error: Record<string, string> };
    expect(error).to.have.keys('code', 'message', 'hint').and.to.include({ code: 'not_migrated' });
    expect(stderr).to.include(error.message);
  });

  it('shows its stack at log level debug only', async () => {
    const { stderr } = await runCli(['status', '--log-level', 'debug'], { cwd: folder });
    expect(stderr).to.match(/not prepared for replication[^\n]*\n[^]*\n {4}at /);
  });

  it('is a port that is taken', async () => {
    const server = await occupyPort();
    const { port } = server.address() as { port: number };
    try {
      configure({ node: { id: 'desktop', listen: `127.0.0.1:${port}` } });
      await runCliWell(['migrate', '--no-backup'], { cwd: folder });
      const result = await runCli(['start'], { cwd: folder });
      expectOneLine(result);
      expect(result.code).to.equal(1);
      expect(result.stderr)
        .to.include(`127.0.0.1:${port}`)
        .and.to.match(/choose another port for node\.listen/);
    } finally {
      server.close();
    }
  });

  it('is no mistake to ask for the status without a daemon, which says so', async () => {
    const [port] = await freePorts(1);
    configure({ node: { id: 'desktop', listen: `127.0.0.1:${port}` } });
    await runCliWell(['migrate', '--no-backup'], { cwd: folder });
    const { code, stdout, stderr } = await runCli(['status'], { cwd: folder });
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout)
      .to.match(/daemon +│ not running/)
      .and.to.match(/start it with sqlite-p2p-sync start/);
  });

  describe('about a peer', () => {
    let group: ReplicaGroup;
    before(async () => {
      group = await ReplicaGroup.create({ tables: [WORDS], peers: { desktop: [] } });
      const [desktop] = group.replicas;
      createDatabase(desktop?.database ?? '');
      await desktop?.cli('migrate', '--no-backup');
      await desktop?.start();
    });
    after(() => group?.remove());

    for (const { title, node, peer, at, says, advises } of [
      {
        title: 'another replica has our node id',
        node: 'desktop',
        peer: 'laptop',
        at: 'the daemon',
        says: /answers with our own node id \\?"desktop/,
        advises: /two replicas have one node id: .*give one of them another node\.id/,
      },
      {
        title: 'another replica answers than the one that is configured',
        node: 'laptop',
        peer: 'server',
        at: 'the daemon',
        says: /is configured as server but answers as \\?"desktop/,
        advises: /Correct the name or the address/,
      },
      {
        title: 'nothing listens at its address',
        node: 'laptop',
        peer: 'desktop',
        at: NOWHERE,
        says: /desktop \(http:\/\/127\.0\.0\.1:1\) can't be reached: nothing listens there/,
        advises: /Check that its daemon runs/,
      },
    ]) {
      it(`is one line with its remedy: ${title}`, async () => {
        const address = at === NOWHERE ? NOWHERE : group.replica('desktop').address;
        const network = { max_retries: 0 };
        configure({ node: { id: node }, network, peers: [{ name: peer, address }] });
        await runCliWell(['migrate', '--no-backup'], { cwd: folder });
        const { code, stderr } = await runCli(['sync'], { cwd: folder });
        expect(code).to.equal(1);
        expect(stderr.trimEnd().split('\n')).to.have.length(1);
        expect(stderr).to.match(says).and.to.match(advises);
      });
    }

    it('is reported by the daemon that is asked by a replica with its own node id', async () => {
      const answer = await group.replica('desktop').fetch('/sync/changes?since=&limit=10&node=desktop');
      expect(answer.status).to.equal(409);
      const { error } = (await answer.json()) as { error: { code: string; hint: string } };
      expect(error.code).to.equal('own_node');
      expect(error.hint).to.match(/give one of them another node\.id/);
    });
  });

  /** A configuration that is sound but for what is changed; or this very text. */
  function configure(changes: Readonly<Record<string, unknown>> | string): void {
    const sound = { node: { id: 'desktop' }, database: { path: './app.db' }, tables: [WORDS] };
    const text = typeof changes === 'string' ? changes : stringify({ ...sound, ...changes });
    writeFileSync(join(folder, 'sync-config.yaml'), text);
  }
});

function createDatabase(file: string): void {
  const database = new BetterSqlite3(file);
  database.exec(`
    CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER);
    CREATE TABLE counters (id INTEGER PRIMARY KEY, count INTEGER);
  `);
  database.close();
}

function expectOneLine({ stderr }: CliResult): void {
  expect(stderr).to.match(/^sqlite-p2p-sync: [^\n]+\n$/);
  expect(stderr).not.to.match(/ {4}at |node:internal|\.js:\d+/);
}

async function occupyPort(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
