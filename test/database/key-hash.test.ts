import BetterSqlite3, { type Database } from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import { keyHash, registerKeyHash, type CleanValue } from '#src/database/key-hash.js';
import { printedSeed, runsOf } from '../random.js';

const RUNS = runsOf({ suite: 300, soak: 20_000 });

const value = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true }),
  fc.integer().map((number): CleanValue => number),
  fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.constantFrom<CleanValue>(
    -0,
    2 ** 63,
    -(2 ** 63),
    Infinity,
    9_007_199_254_740_993n,
    '\ufffd',
    '',
    'a\0b',
  ),
);

describe('the hash of a key', () => {
  const databases: Database[] = [];
  afterEach(() => {
    for (const database of databases.splice(0)) database.close();
  });

  function open(encoding: string): Database {
    const database = new BetterSqlite3(':memory:');
    databases.push(database);
    database.pragma(`encoding = '${encoding}'`);
    registerKeyHash(database);
    return database;
  }

  for (const encoding of ['UTF-8', 'UTF-16le']) {
    it(`is the same for a value that travels and for that value in the database (${encoding})`, () => {
      const database = open(encoding);
      database.exec('CREATE TABLE keys (id INTEGER PRIMARY KEY, one, two)');
      fc.assert(
        fc.property(value, value, (one, two) => {
          database.prepare('REPLACE INTO keys VALUES (1, ?, ?)').run(one, two);
          const found = database.prepare(`SELECT sync_key_hash('t', one, two) FROM keys`).pluck().get();
          expect(found).to.equal(keyHash('t', [one, two]));
        }),
        { numRuns: RUNS, seed: printedSeed(RUNS) },
      );
    });
  }

  it('is the same for numbers that are equal to SQLite', () => {
    const database = open('UTF-8');
    const near = fc.bigInt({ min: -1024n, max: 1024n });
    const whole = fc.constantFrom(0n, 2n ** 31n, 2n ** 53n, 2n ** 63n, -(2n ** 63n), -(2n ** 53n));
    fc.assert(
      fc.property(whole, near, (from, offset) => {
        const integer = BigInt.asIntN(64, from + offset);
        const real = Number(integer);
        const isEqual = database.prepare('SELECT ? = ?').pluck().get(integer, real) === 1;
        expect(keyHash('t', [integer]) === keyHash('t', [real])).to.equal(isEqual);
      }),
      { numRuns: RUNS, seed: printedSeed(RUNS) },
    );
  });

  it('tells tables, parts of a key and their order apart, and counts no NULL', () => {
    const keys: [string, CleanValue[]][] = [
      ['t', ['ab', 'c']],
      ['t', ['a', 'bc']],
      ['t', ['c', 'ab']],
      ['t', ['abc']],
      ['u', ['abc']],
      ['ta', ['bc']],
      ['t', ['\u{20000}']],
      ['t', ['\u{20001}']],
    ];
    expect(new Set(keys.map(([table, key]) => keyHash(table, key))).size).to.equal(keys.length);
    expect(keyHash('t', ['a', null, null])).to.equal(keyHash('t', ['a']));
  });

  it('spreads keys that differ in little', () => {
    const hashes = new Set<number>();
    for (let number = 0; number < 100_000; number += 1) hashes.add(keyHash('words', [BigInt(number)]));
    for (let number = 0; number < 100_000; number += 1) hashes.add(keyHash('words', [`row-${number}`]));
    // two of 200,000 random numbers of 32 bits are the same about five times
    expect(hashes.size).to.be.above(199_900);
  });
});
