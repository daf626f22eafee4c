import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { packageRoot } from '#src/package-root.js';

const SQL = join(packageRoot, 'sql');

/*
 * A value that SQLite plans for makes it compile the statement again each time it is bound: that of a bare LIMIT, and one
 * that is compared with an index of an analyzed table. Nothing tells so but the time it takes.
 */
describe('statements that run often are compiled once', () => {
  const files = readdirSync(SQL, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.sql'),
  );
  const text = (file: string) => readFileSync(join(SQL, file), 'utf8');

  it('since no LIMIT is a bare value', () => {
    const limited = files.filter((file) => /\bLIMIT\b/.test(text(file)));
    expect(limited.length).to.be.greaterThan(20);
    expect(limited.filter((file) => /\bLIMIT\s*\(?\s*[+]?\s*[:?@$]/.test(text(file)))).to.deep.equal([]);
  });

  it('since no version is looked up by a bare hash of its key', () => {
    const looking = files.filter((file) => /\bkey_hash = \S/.test(text(file)));
    expect(looking.length).to.be.greaterThan(3);
    expect(looking.filter((file) => /\bkey_hash = [:?@$]/.test(text(file)))).to.deep.equal([]);
  });
});
