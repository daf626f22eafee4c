import { expect } from 'chai';
import BetterSqlite3 from 'better-sqlite3';
import { expectSameContent, queryRow } from '../replication/content.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { scriptOf, withFreePorts, Workplace } from './script.js';

withPrograms(['sqlite3'], () => {
  describe('The README', function () {
    this.timeout(90_000);
    let workplace: Workplace;

    beforeEach(() => {
      workplace = new Workplace();
    });
    afterEach(() => {
      workplace.remove();
    });

    it('starts two replicas in five minutes, and they end equal', async () => {
      const { code, output } = await workplace.run(await withFreePorts(scriptOf('README.md')));
      expect(code, output).to.equal(0);

      const files = ['ann', 'bob'].map((node) => workplace.path(node, 'words.db'));
      const counts = expectSameContent(files, { words: ['id'], scores: ['user_id', 'word_id'] });
      expect(counts, output).to.deep.equal({ words: 3, scores: 2 });
      const [ann = ''] = files;
      expect(queryRow(ann, "SELECT english FROM words WHERE id = 'w2'")).to.deep.equal(['binary search']);
      // the order of its steps leaves no conflict to a reader's surprise
      expect(queryRow(ann, 'SELECT count(*) FROM _sync_conflicts')).to.deep.equal([0]);
    });

    it('prepares and starts a replica that others reach, with the key that keygen has made', async () => {
      const keygen = await workplace.run(scriptOf('README.md', 'sh run keygen'));
      expect(keygen.output).to.match(/^\S{32,}\n$/);
      const app = new BetterSqlite3(workplace.path('my-app.db'));
      app.exec('CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER)');
      app.close();
      const steps = (await withFreePorts(scriptOf('README.md', 'sh run each-machine')))
        .replace('the-key-that-keygen-printed', keygen.output.trim())
        .replace('192.168.1.20', '127.0.0.1')
        .replace(/sqlite-p2p-sync start\n/, STARTED_AND_ENDED);
      const { code, output } = await workplace.run(steps);
      expect(code, output).to.equal(0);
      expect(output).to.contain('listening').and.to.contain('0.0.0.0');
    });

    it('opens a replica by the library', async () => {
      const app = new BetterSqlite3(workplace.path('my-app.db'));
      app.exec('CREATE TABLE words (id TEXT PRIMARY KEY, english TEXT, updated_at INTEGER)');
      app.close();
      const program = scriptOf('README.md', 'js run').replace('// ... await', 'await');
      const script = `sqlite-p2p-sync init --db my-app.db --node desktop --listen 127.0.0.1:8091\ncat > app.mjs <<'END'\n${program}\nEND\nnode app.mjs`;
      const { code, output } = await workplace.run(await withFreePorts(script));
      expect(code, output).to.equal(0);
    });
  });
});

/** The daemon does not end by itself. */
const STARTED_AND_ENDED = `
sqlite-p2p-sync start > start.log &
until grep -q ' listening' start.log; do kill -0 %1; sleep 0.1; done
kill %1
wait %1
cat start.log
`;
