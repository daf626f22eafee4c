import { expect } from 'chai';
import { resolve } from '#src/apply/resolve.js';
import type { Version } from '#src/wire/version.js';

function version(stamp: number, origin: string, fingerprint: string, seen: Version['seen'] = null): Version {
  return { rank: 0, stamp, origin, fingerprint, seen };
}

const local = version(5, 'a@1', 'aa');

describe('resolving an incoming version', () => {
  const cases: [string, Version | null, Version, ReturnType<typeof resolve>][] = [
    ['a row that is unknown here', null, local, { outcome: 'write', conflict: false }],
    ['the very version', local, local, { outcome: 'same', conflict: false }],
    ['an edit of it', local, version(6, 'b@1', 'bb', { 'a@1': 5 }), { outcome: 'write', conflict: false }],
    [
      'a later edit that did not know it',
      local,
      version(6, 'b@1', 'bb'),
      { outcome: 'write', conflict: true },
    ],
    ['an earlier edit elsewhere', local, version(4, 'b@1', 'bb'), { outcome: 'keep', conflict: true }],
    [
      'a version that it replaced',
      version(5, 'a@1', 'aa', { 'b@1': 4 }),
      version(4, 'b@1', 'bb'),
      { outcome: 'keep', conflict: false },
    ],
    ['equal content, later', local, version(6, 'b@1', 'aa'), { outcome: 'adopt', conflict: false }],
    ['equal content, earlier', local, version(4, 'b@1', 'aa'), { outcome: 'keep', conflict: false }],
    ['a delete that did not know it', local, version(6, 'b@1', ''), { outcome: 'write', conflict: true }],
    [
      'a delete of what is deleted',
      version(5, 'a@1', ''),
      version(6, 'b@1', ''),
      { outcome: 'adopt', conflict: false },
    ],
  ];
  for (const [name, present, incoming, expected] of cases) {
    it(`${expected.outcome}s ${expected.conflict ? 'with' : 'without'} conflict: ${name}`, () => {
      expect(resolve(present, incoming)).to.deep.equal(expected);
    });
  }
});
