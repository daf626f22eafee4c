import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '#src/config/load.js';
import { Resolvers } from '#src/config/resolvers.js';
import { SyncError } from '#src/errors.js';
import { tableConfig } from '../replication/quick-replica.js';
import { scratchFile, scratchFolder } from '../scratch.js';
import { thrownBy } from '../thrown.js';

const MINIMAL = 'node: { id: desktop }\ndatabase: { path: ./app.db }\n';

describe('the strategy of a table', () => {
  let folder: string;
  before(() => {
    folder = scratchFolder();
    writeFileSync(join(folder, 'merge.mjs'), 'export default (local) => local;');
  });

  function file(text: string): string {
    const path = join(folder, 'sync-config.yaml');
    writeFileSync(path, MINIMAL + text);
    return path;
  }

  function strategies(text: string): unknown[] {
    return loadConfig(file(text), {}).tables.map(({ conflictResolution, preferredNode, resolver }) => [
      conflictResolution,
      preferredNode,
      resolver,
    ]);
  }

  it('is latest_wins where nothing is said', () => {
    expect(strategies('tables: [{ name: a }]')).to.deep.equal([['latest_wins', null, null]]);
  });

  it('is that of sync where the table has none of its own', () => {
    const text = `
sync: { conflict_resolution: source_wins, preferred_node: macbook }
tables:
  - { name: a }
  - { name: b, preferred_node: desktop }
  - { name: c, conflict_resolution: manual }
  - { name: d, conflict_resolution: custom, resolver: ./merge.mjs }`;
    expect(strategies(text)).to.deep.equal([
      ['source_wins', 'macbook', null],
      ['source_wins', 'desktop', null],
      ['manual', null, null],
      ['custom', null, join(folder, 'merge.mjs')],
    ]);
  });

  it('takes from sync what it needs itself', () => {
    const text = `
sync: { preferred_node: macbook, resolver: merge.mjs }
tables:
  - { name: a, conflict_resolution: source_wins }
  - { name: b, conflict_resolution: custom }
  - { name: c }`;
    expect(strategies(text)).to.deep.equal([
      ['source_wins', 'macbook', null],
      ['custom', null, join(folder, 'merge.mjs')],
      ['latest_wins', null, null],
    ]);
  });

  const refused: [string, string, string][] = [
    [
      'a strategy that there is not',
      'sync: { conflict_resolution: newest }',
      'sync.conflict_resolution: expected one of latest_wins, source_wins, manual, custom, got "newest"',
    ],
    [
      'source_wins without a node',
      'sync: { conflict_resolution: source_wins }\ntables: [{ name: a }]',
      'sync.preferred_node: expected the node id whose edits source_wins prefers',
    ],
    [
      'source_wins of a table without a node',
      'tables: [{ name: a, conflict_resolution: source_wins }]',
      'tables[0].preferred_node: expected the node id whose edits source_wins prefers',
    ],
    [
      'custom without a resolver',
      'tables: [{ name: a, conflict_resolution: custom }]',
      'tables[0].resolver: expected the path of the module that custom calls',
    ],
    [
      'a node that is no node id',
      'sync: { conflict_resolution: source_wins, preferred_node: "my mac" }',
      'sync.preferred_node: expected a node id: 1 to 64 letters, digits, . _ -, got "my mac"',
    ],
    [
      'a node that nothing prefers',
      'sync: { preferred_node: desktop }\ntables: [{ name: a }]',
      'sync.preferred_node: has no use without conflict_resolution: source_wins',
    ],
    [
      'a node of a table with another strategy',
      'tables: [{ name: a, conflict_resolution: manual, preferred_node: desktop }]',
      'tables[0].preferred_node: has no use without conflict_resolution: source_wins',
    ],
    [
      'a resolver that nothing calls',
      'tables: [{ name: a, resolver: merge.mjs }]',
      'tables[0].resolver: has no use without conflict_resolution: custom',
    ],
  ];
  for (const [what, text, message] of refused) {
    it(`is refused: ${what}`, () => {
      const error = thrownBy(() => loadConfig(file(text), {}));
      expect(error.message).to.equal(`${join(folder, 'sync-config.yaml')}: ${message}`);
      expect(error.exitCode).to.equal(2);
    });
  }

  it('is refused where the file of its resolver is not there', () => {
    const text = 'tables: [{ name: a, conflict_resolution: custom, resolver: ./gone.mjs }]';
    const error = thrownBy(() => loadConfig(file(text), {}));
    expect(error.message).to.include(`tables[0].resolver: there is no file ${join(folder, 'gone.mjs')}`);
    expect(error.exitCode).to.equal(2);
  });
});

describe('a resolver module', () => {
  function using(content: string) {
    return tableConfig('words', {
      conflictResolution: 'custom',
      resolver: scratchFile(content, 'resolver.mjs'),
    });
  }

  async function refusal(content: string): Promise<unknown> {
    return new Resolvers().load([using(content)]).then(
      () => null,
      (error: unknown) => error,
    );
  }

  it('is refused with 2 where it can not be read, or exports no function', async () => {
    for (const [content, message] of [
      ['export default', /can't be loaded/],
      ['throw new Error("not today")', /can't be loaded: not today/],
      ['export const merge = () => null', /no function as its default export/],
    ] as const) {
      const error = await refusal(content);
      expect(error).to.be.instanceOf(SyncError).and.include({ code: 'resolver_invalid', exitCode: 2 });
      expect((error as SyncError).message).to.match(message);
    }
  });

  it('tells of the first fault of each table only', async () => {
    const resolvers = new Resolvers();
    await resolvers.load([using('export default () => null')]);
    resolvers.noteFault('words', 'one');
    resolvers.noteFault('words', 'two');
    resolvers.noteFault('notes', 'three');
    expect(resolvers.takeFaults()).to.deep.equal([
      { table: 'words', reason: 'one' },
      { table: 'notes', reason: 'three' },
    ]);
    resolvers.noteFault('words', 'four');
    expect(resolvers.takeFaults()).to.deep.equal([]);
  });
});
