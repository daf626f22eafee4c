import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'chai';
import { openChangelog } from '#src/changelog/changelog.js';
import { fragment } from '#src/sql/template.js';

describe('the prepared statements of a changelog', () => {
  it('are kept, but not without end: what they name, a peer may choose', () => {
    const database = new BetterSqlite3(':memory:');
    const changelog = openChangelog(database, []);
    const prepared = (name: string) => changelog.prepareAs(name, () => fragment('SELECT 1'));
    const [first, second] = [prepared('first'), prepared('second')];
    expect(prepared('first')).to.equal(first);
    for (let index = 0; index < 499; index += 1) prepared(`other ${index}`);
    expect(prepared('second'), 'not the oldest').to.equal(second);
    expect(prepared('first'), 'the oldest').not.to.equal(first);
    database.close();
  });
});
