import { expect } from 'chai';
import { remedyFor } from '#src/verify/remedy.js';
import type { RowState } from '#src/wire/row-state.js';
import type { Version } from '#src/wire/version.js';

const PEER = 'bob@bb';

function version(stamp: number, origin = 'ann@aa'): Version {
  return { rank: 0, stamp, origin, fingerprint: 'a'.repeat(16), seen: null };
}

function state(overrides: Partial<RowState> = {}): RowState {
  const facts = { intact: true, unfolded: false, held: false, conflict: false };
  return { key: ['k'], fingerprint: 'a'.repeat(16), version: version(5), ...facts, ...overrides };
}

const DRIFTED = { fingerprint: 'b'.repeat(16), intact: false };
const UNKNOWN = { version: null, intact: false };
const GONE = { fingerprint: null, intact: false };

describe('What repairs a row', () => {
  const cases: [string, RowState, RowState, string | RegExp][] = [
    ['a newer version at the peer is taken', state(), state({ version: version(6) }), 'take'],
    ['so is one of a row that is unknown here', state(UNKNOWN), state(), 'take'],
    ['a newer version here is sent', state({ version: version(6) }), state(), 'send'],
    ['so is one of a row that is unknown there', state(), state(UNKNOWN), 'send'],
    [
      'one that the peer itself authored is renewed: it is sent nothing of its own',
      state({ version: version(6, PEER) }),
      state(),
      'renew',
    ],
    ['a row that drifted here gets back what its version says', state(DRIFTED), state(), 'restore'],
    ['so does one that vanished here', state(GONE), state(), 'restore'],
    ['a row that drifted there is renewed here', state(), state(DRIFTED), 'renew'],
    ['where both drifted, the row here is a new edit', state(DRIFTED), state(DRIFTED), 'capture'],
    [
      'a newer version here that drifted is a new edit',
      state({ ...DRIFTED, version: version(6) }),
      state(),
      'capture',
    ],
    ['a row that neither knows is entered here', state(UNKNOWN), state({ ...UNKNOWN, ...GONE }), 'capture'],
    [
      'a row that only the peer has and does not know is for the peer',
      state({ ...UNKNOWN, ...GONE }),
      state(UNKNOWN),
      /repaired on the peer/,
    ],
    [
      'so is a newer version there that drifted',
      state(),
      state({ ...DRIFTED, version: version(6) }),
      /repaired on the peer/,
    ],
    [
      'a row in quarantine here is left alone',
      state({ held: true }),
      state({ version: version(6) }),
      /quarantine here/,
    ],
    [
      'a row in quarantine there is left alone',
      state({ version: version(6) }),
      state({ held: true }),
      /quarantine at the peer/,
    ],
  ];
  for (const [title, here, there, expected] of cases) {
    it(title, () => {
      const advice = remedyFor(here, there, PEER);
      if (typeof expected === 'string') expect(advice).to.deep.equal({ remedy: expected });
      else expect(advice).to.have.property('why').that.matches(expected);
    });
  }
});
