import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import { parse } from 'yaml';
import { expandVariables } from '#src/config/expand.js';
import { DEFAULT_TIMESTAMP_PATTERNS } from '#src/config/schema.js';
import { readTables, type Table } from '#src/database/table.js';
import { columnLike, SOFT_DELETE_NAMES } from '#src/init/column-names.js';
import { nodeIdFrom } from '#src/init/node-id.js';
import { yamlScalar } from '#src/init/yaml-scalar.js';
import { NODE_ID } from '#src/wire/instance.js';

const SEED = Number(process.env.FC_SEED ?? Date.now() & 0x7fffffff);

function tableWith(...columns: string[]): Table {
  const database = new BetterSqlite3(':memory:');
  database.exec(`CREATE TABLE t(id TEXT PRIMARY KEY, ${columns.map((name) => `"${name}"`).join(', ')})`);
  return readTables(database)[0]!;
}

describe('Names that init makes and looks for', () => {
  it('are timestamp columns in any case and style, in the order of the patterns', () => {
    for (const name of [
      'updated_at',
      'UPDATED_AT',
      'updatedAt',
      'UpdatedAt',
      'LastModified',
      'modified_time',
    ]) {
      expect(columnLike(tableWith('x', name), DEFAULT_TIMESTAMP_PATTERNS)?.name).to.equal(name);
    }
    const both = tableWith('last_modified', 'updated_at');
    expect(columnLike(both, DEFAULT_TIMESTAMP_PATTERNS)?.name).to.equal('updated_at');
    expect(columnLike(tableWith('created_at', 'not_updated_at'), DEFAULT_TIMESTAMP_PATTERNS)).to.equal(null);
  });

  it('are soft-delete columns', () => {
    for (const name of ['deleted_at', 'is_deleted', 'isDeleted', 'Deleted', 'deletedAt']) {
      expect(columnLike(tableWith(name), SOFT_DELETE_NAMES)?.name).to.equal(name);
    }
    expect(columnLike(tableWith('undeleted'), SOFT_DELETE_NAMES)).to.equal(null);
  });

  it('are patterns of which only * means something', () => {
    expect(columnLike(tableWith('a.b'), ['a.*'])?.name).to.equal('a.b');
    expect(columnLike(tableWith('axb'), ['a.b'])).to.equal(null);
    expect(columnLike(tableWith('a(b'), ['a(*'])?.name).to.equal('a(b');
  });

  it('are node ids from any host name', () => {
    expect(nodeIdFrom('laptop.local')).to.equal('laptop.local');
    expect(nodeIdFrom('Rüdigers MacBook')).to.equal('Rudigers-MacBook');
    expect(nodeIdFrom('☕')).to.equal('replica');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        expect(nodeIdFrom(name)).to.match(NODE_ID);
      }),
      { seed: SEED },
    );
  });

  it('are YAML scalars on one line that read back as they were', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(
        'null',
        'true',
        'No',
        '~',
        '1',
        '1e3',
        '.7',
        '.inf',
        '0x1F',
        '-',
        '- a',
        'a: b',
        'a #b',
        '@a',
        '${A}',
        '$${A}',
        '$',
      ),
      fc.stringMatching(/^[\w./:$#{} -]{0,20}$/),
    );
    fc.assert(
      fc.property(text, (value) => {
        const scalar = yamlScalar(value);
        expect(scalar).not.to.match(/[\n\r]/);
        const read = (parse(`- ${scalar} # comment\n`) as unknown[])[0];
        expect(expandVariables(read, {}).value).to.equal(value);
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });
});
