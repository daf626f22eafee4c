import { expect } from 'chai';
import fc from 'fast-check';
import { RawText, fromWire, toWire, type SqlValue } from '#src/wire/value.js';

function crossed(value: SqlValue): SqlValue | undefined {
  return fromWire(JSON.parse(JSON.stringify(toWire(value))));
}

describe('a value on the wire', () => {
  const cases: [string, SqlValue, string][] = [
    ['NULL', null, 'null'],
    ['a small INTEGER', 1n, '1'],
    ['the largest safe INTEGER', 9007199254740991n, '9007199254740991'],
    ['an INTEGER that JSON would round', 9007199254740993n, '{"$int":"9007199254740993"}'],
    ['the smallest INTEGER', -9223372036854775808n, '{"$int":"-9223372036854775808"}'],
    ['a REAL with a fraction', 0.1 + 0.2, '0.30000000000000004'],
    ['an integral REAL', 1, '{"$real":"1.0"}'],
    ['a large REAL', 1e21, '{"$real":"1e+21"}'],
    ['negative zero', -0, '{"$real":"-0.0"}'],
    ['infinity', -Infinity, '{"$real":"-Infinity"}'],
    ['TEXT with NUL and quotes', 'a\0"b', '"a\\u0000\\"b"'],
    ['a BLOB', Buffer.from([0, 255]), '{"$blob":"AP8="}'],
    ['an empty BLOB', Buffer.alloc(0), '{"$blob":""}'],
    ['TEXT that is not UTF-8', new RawText(Buffer.from([0x61, 0xff])), '{"$text":"Yf8="}'],
  ];
  for (const [name, value, json] of cases) {
    it(`carries ${name} as ${json}`, () => {
      expect(JSON.stringify(toWire(value))).to.equal(json);
      expect(crossed(value)).to.deep.equal(value);
    });
  }

  it('comes out as it went in, type and bits', () => {
    const value = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.double({ noNaN: true }),
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(value, (one) => {
        if (typeof one === 'number') expect(Object.is(crossed(one), one)).to.equal(true);
        else expect(crossed(one)).to.deep.equal(one);
      }),
    );
  });

  const refused: unknown[] = [
    undefined,
    true,
    [],
    {},
    9007199254740992,
    { $int: '1', $real: '1.0' },
    { $int: 1 },
    { $int: '9223372036854775808' },
    { $int: '0x1' },
    { $real: 'NaN' },
    { $blob: 'not base64!' },
    { $other: '1' },
    '\ud800',
  ];
  for (const value of refused) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      expect(fromWire(value)).to.equal(undefined);
    });
  }

  it('takes clean text that came tagged as the plain text that it is', () => {
    expect(fromWire({ $text: Buffer.from('abc').toString('base64') })).to.equal('abc');
  });
});
