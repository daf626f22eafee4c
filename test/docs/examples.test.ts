import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '#src/config/load.js';
import { expectSameContent, queryRow, type Keys } from '../replication/content.js';
import { withPrograms } from '../replication/foreign-programs.js';
import { PROJECT } from './documents.js';
import { scriptOf, withFreePorts, Workplace } from './script.js';

/** What the README of an example has to end with. */
interface Example {
  readonly folder: string;
  readonly files: readonly [string, string];
  readonly keys: Keys;
  readonly rows: Readonly<Record<string, number>>;
}

const EXAMPLES: readonly Example[] = [
  { folder: 'notes', files: ['desk.db', 'laptop.db'], keys: { notes: ['id'] }, rows: { notes: 2 } },
  { folder: 'todo', files: ['desk/todo.db', 'laptop/todo.db'], keys: { todos: ['id'] }, rows: { todos: 2 } },
  {
    folder: 'blog',
    files: ['ann/blog.db', 'bob/blog.db'],
    keys: { posts: ['slug'], comments: ['post', 'author', 'number'] },
    rows: { posts: 2, comments: 2 },
  },
];

withPrograms(['sqlite3', 'python3'], () => {
  describe('The examples', function () {
    this.timeout(120_000);
    let workplace: Workplace | null = null;

    afterEach(() => {
      workplace?.remove();
      workplace = null;
    });

    async function follow(folder: string) {
      const place = new Workplace(join('docs/examples', folder));
      workplace = place;
      const script = await withFreePorts(scriptOf(`docs/examples/${folder}/README.md`));
      const { code, output } = await place.run(script);
      expect(code, output).to.equal(0);
      return { place, output };
    }

    it('are those that the tests run', () => {
      const folders = readdirSync(join(PROJECT, 'docs/examples'), { withFileTypes: true });
      const names = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);
      expect(names.sort()).to.deep.equal([...EXAMPLES.map(({ folder }) => folder), 'enx'].sort());
    });

    for (const { folder, files, keys, rows } of EXAMPLES) {
      it(`${folder}: two replicas end equal when its README is followed`, async () => {
        const { place, output } = await follow(folder);
        const counts = expectSameContent(
          files.map((file) => place.path(file)),
          keys,
        );
        expect(counts, output).to.deep.equal(rows);
      });
    }

    it('blog: what is of one machine stays there', async () => {
      const { place } = await follow('blog');
      const triggers = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'visits'";
      expect(queryRow(place.path('ann/blog.db'), triggers)).to.deep.equal([0]);
    });

    it('enx: words and user_dicts are replicated, users and sessions are not', async () => {
      const { place } = await follow('enx');
      const config = loadConfig(place.path('sync-config.yaml'), { SYNC_API_KEY: 'k'.repeat(32) });
      expect(config.tables.map(({ name }) => name)).to.deep.equal(['words', 'user_dicts']);
      const captured = "SELECT group_concat(DISTINCT tbl_name) FROM sqlite_schema WHERE type = 'trigger'";
      const [tables] = queryRow(place.path('enx.db'), captured) as [string];
      expect(tables.split(',').sort()).to.deep.equal(['user_dicts', 'words']);
    });
  });
});
