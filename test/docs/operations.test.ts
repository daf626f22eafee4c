import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { countOf, execute, expectSameContent, queryRow } from '../replication/content.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { allDocuments, blocksOf } from './documents.js';
import { scriptOf, withFreePorts, Workplace } from './script.js';

const SCHEMA = `
  CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT NOT NULL, updated_at INTEGER);
  INSERT INTO words VALUES ('w1', 'one', 1704326400000), ('w2', 'two', 1704326400000)`;
/** Where the documents have the machine of a peer, and where this one runs. */
const PEER = 'http://192.168.1.20:8091';

describe('Shell commands in the documents', () => {
  it('are marked: to be run, run by a test of their own, or not run', () => {
    const marks = /^sh (run( [a-z-]+)?|ca|node|look|not-run)$/;
    const unmarked = allDocuments().flatMap((document) =>
      blocksOf(document)
        .filter(({ info }) => info.split(' ')[0] === 'sh' && !marks.test(info))
        .map(({ text }) => `${document.path}: ${text}`),
    );
    expect(unmarked, 'write ```sh run NAME and a test, or ```sh not-run').to.deep.equal([]);
  });

  it('that are to be run are known to a test, by document and name', () => {
    const marked = allDocuments().flatMap((document) =>
      blocksOf(document)
        .filter(({ info }) => info.startsWith('sh run'))
        .map(({ info }) => `${document.path} ${info}`),
    );
    const examples = ['notes', 'todo', 'blog', 'enx'].map((name) => `docs/examples/${name}/README.md sh run`);
    const known = [
      ...['README.md sh run', 'README.md sh run keygen', 'README.md sh run each-machine'],
      ...['clone', 'air-gap', 'conflicts', 'quarantine', 'doctor', 'verify', 'prune', 'backup'].map(
        (name) => `docs/operations.md sh run ${name}`,
      ),
      ...['docs/convert-ids.md sh run convert', 'docs/convert-ids.md sh run back'],
      ...examples,
      ...['docs/migrating.md sh run', 'docs/security.md sh run clone'],
      // by test/commands/discovery.test.ts
      'docs/operations.md sh run accept',
    ];
    expect([...new Set(marked)].sort()).to.deep.equal(known.sort());
  });

  it('that are not run install or measure, or change the firewall of the system', () => {
    const commands = allDocuments().flatMap((document) =>
      blocksOf(document)
        .filter(({ info }) => info === 'sh not-run')
        .flatMap(({ text }) => text.trim().split('\n')),
    );
    expect(commands.filter((line) => !/^(npm|ufw) /.test(line))).to.deep.equal([]);
  });
});

withPrograms(['sqlite3'], () => {
  describe('docs/operations.md', function () {
    this.timeout(120_000);
    let place: Workplace;

    beforeEach(() => {
      place = new Workplace();
      for (const name of ['my-app.db', 'peer.db']) {
        const app = new BetterSqlite3(place.path(name));
        app.exec(SCHEMA);
        app.close();
      }
    });
    afterEach(() => {
      place.remove();
    });

    const SET_UP = `
sqlite-p2p-sync init --db my-app.db --node desktop --listen 127.0.0.1:8090 --peer macbook=${PEER}
sqlite-p2p-sync init --db peer.db --node macbook --listen ${PEER.replace('http://', '')} --peer desktop=127.0.0.1:8090 --config peer.yaml
for config in sync-config.yaml peer.yaml; do
  sed -i 's/^  low_disk: .*/  low_disk: 1MB/' $config
  sqlite-p2p-sync migrate --no-backup --config $config
  sqlite-p2p-sync backfill --config $config
done
`;
    const PEER_STARTS = `
sqlite-p2p-sync start --config peer.yaml > peer.log &
until grep -q ' listening' peer.log; do kill -0 %1; sleep 0.1; done
sqlite-p2p-sync sync
`;
    const PEER_ENDS = '\nkill %1\nwait %1\n';

    async function run(...parts: readonly string[]): Promise<string> {
      const script = parts.join('\n').replaceAll('192.168.1.20', '127.0.0.1');
      const { code, output } = await place.run(await withFreePorts(script));
      expect(code, output).to.equal(0);
      return output;
    }
    const block = (name: string) => scriptOf('docs/operations.md', `sh run ${name}`);
    const files = () => ['my-app.db', 'peer.db'].map((name) => place.path(name));

    it('clones a replica', async () => {
      const clone = block('clone').replace('my-app.db', 'tablet.db');
      await run(SET_UP, PEER_STARTS, 'mv sync-config.yaml desktop.yaml', clone, PEER_ENDS);
      expectSameContent([place.path('peer.db'), place.path('tablet.db')], { words: ['id'] });
    });

    withPrograms(['openssl'], () => {
      it('clones a replica over HTTPS, as docs/security.md tells', async () => {
        const tls = '{ cert: node.crt, key: node.key, ca: ca.crt, require_client_cert: true }';
        const files = ['ca', 'node', 'look'].map((name) => scriptOf('docs/security.md', `sh ${name}`));
        const clone = scriptOf('docs/security.md', 'sh run clone')
          .replace('https://192.168.1.10', PEER.replace('http:', 'https:').replace(/:8091$/, ''))
          .replace('my-app.db', 'laptop.db');
        const starts = PEER_STARTS.replace('sqlite-p2p-sync sync\n', 'rm sync-config.yaml');
        await run(
          SET_UP,
          ...files,
          `sed -i 's/^  # tls: null/  tls: ${tls}/' peer.yaml`,
          starts,
          clone,
          PEER_ENDS,
        );
        expectSameContent([place.path('peer.db'), place.path('laptop.db')], { words: ['id'] });
      });
    });

    it('carries changes by a stick', async () => {
      execute(place.path('my-app.db'), "INSERT INTO words VALUES ('of desktop', 'x', 1704326500000)");
      execute(place.path('peer.db'), "INSERT INTO words VALUES ('of laptop', 'x', 1704326500000)");
      const steps = block('air-gap')
        .replaceAll('/media/stick/', '')
        .split('\n')
        .map((line) => (line.includes('on laptop') ? line.replace('# on', '--config peer.yaml # on') : line));
      await run(SET_UP, ...steps);
      expect(expectSameContent(files(), { words: ['id'] })).to.deep.equal({ words: 4 });
    });

    it('shows and resolves a conflict', async () => {
      const edits = (['my-app', 'peer'] as const).map(
        (name, at) =>
          `sqlite3 -cmd '.timeout 5000' ${name}.db "UPDATE words SET english = 'of ${name}', updated_at = 170441280000${at} WHERE id = 'w1'"`,
      );
      const id = '$(sqlite3 my-app.db "SELECT max(id) FROM _sync_conflicts")';
      const steps = block('conflicts').replace(/(show|resolve) 3/g, `$1 ${id}`);
      await run(SET_UP, PEER_STARTS, ...edits, 'sqlite-p2p-sync sync', steps, PEER_ENDS);
      const english = "SELECT english FROM words WHERE id = 'w1'";
      expect(queryRow(place.path('my-app.db'), english)).to.deep.equal(['of my-app']);
    });

    it('retries and drops what is in quarantine', async () => {
      const column = `sqlite3 -cmd '.timeout 5000' peer.db "ALTER TABLE words ADD COLUMN extra; UPDATE words SET extra = 1, updated_at = 1704412800000"`;
      const steps = block('quarantine')
        .replace('drop 7', 'drop $(sqlite3 my-app.db "SELECT min(id) FROM _sync_quarantine")')
        // the column is missing all the while, so both stay
        .replace('quarantine retry\n', 'quarantine retry || echo not yet\n');
      await run(SET_UP, column, PEER_STARTS, steps, PEER_ENDS);
      expect(countOf(place.path('my-app.db'), '_sync_quarantine')).to.equal(1);
    });

    it('examines a replica, proves that two are equal, and prunes', async () => {
      const unheard = 'sqlite-p2p-sync peers forget old-laptop';
      const prune = block('prune').replace(unheard, unheard.replace('old-laptop', 'macbook'));
      const verify = block('verify');
      const output = await run(SET_UP, PEER_STARTS, block('doctor'), verify, prune, PEER_ENDS);
      expect(output).to.contain('0 errors');
    });

    it('backs up a database that is in use', async () => {
      await run(SET_UP, PEER_STARTS, block('backup'), PEER_ENDS);
      expectSameContent([place.path('my-app.db'), place.path('my-app-backup.db')], { words: ['id'] });
    });

    it('converts keys, and goes back by the SQL that was written, as docs/convert-ids.md tells', async () => {
      const tables = `
        CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER REFERENCES users (id), text TEXT);
        INSERT INTO users VALUES (7, 'ann');
        INSERT INTO posts VALUES (3, 7, 'first');`;
      execute(place.path('my-app.db'), tables);
      const posts = 'SELECT posts.id, name FROM posts JOIN users ON users.id = author';
      await run(scriptOf('docs/convert-ids.md', 'sh run convert'));
      const [id, name] = queryRow(place.path('my-app.db'), posts);
      expect(id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-8/);
      expect(name).to.equal('ann');
      const back = scriptOf('docs/convert-ids.md', 'sh run back').replace(/[0-9T]+-000Z/, '*');
      await run(back);
      expect(queryRow(place.path('my-app.db'), posts)).to.deep.equal([3, 'ann']);
    });

    it('merges a copy that another program has left, as docs/migrating.md tells', async () => {
      execute(
        place.path('peer.db'),
        "UPDATE words SET english = 'in the copy', updated_at = 1704412800000 WHERE id = 'w2'",
      );
      await run('cp peer.db my-app.sync-conflict.db', SET_UP, scriptOf('docs/migrating.md'));
      const english = "SELECT english FROM words WHERE id = 'w2'";
      expect(queryRow(place.path('my-app.db'), english)).to.deep.equal(['in the copy']);
    });
  });
});
