import { expect } from 'chai';
import { fingerprinter } from '#src/wire/fingerprint.js';
import { RawText, type SqlValue } from '#src/wire/value.js';

function of(row: Record<string, SqlValue>): string {
  return fingerprinter(Object.keys(row))(Object.values(row));
}

describe('a fingerprint', () => {
  it('is 16 hex digits', () => {
    expect(of({ id: 'a' })).to.match(/^[0-9a-f]{16}$/);
  });

  it('does not depend on the order of columns, nor on columns that are NULL', () => {
    expect(of({ a: 1n, b: 'x' })).to.equal(of({ b: 'x', a: 1n }));
    expect(of({ a: 1n, added: null })).to.equal(of({ a: 1n }));
  });

  it('tells every type apart, and every place where a value ends', () => {
    const rows: Record<string, SqlValue>[] = [
      { a: 1n },
      { a: 1 },
      { a: '1' },
      { a: Buffer.from('1') },
      { a: new RawText(Buffer.from([0xff])) },
      { a: Buffer.from([0xff]) },
      { a: 0 },
      { a: -0 },
      { a: '' },
      { a: null },
      { b: 1n },
      { a: 'x', b: 'y' },
      { a: 'x1:bt1:y' },
      { a: 'xy', b: '' },
    ];
    expect(new Set(rows.map(of)).size).to.equal(rows.length);
  });
});
