import { expect } from 'chai';
import { createTrust, type HintTrust } from '#src/replica/hint-trust.js';

describe('trust in hints', () => {
  let trust: HintTrust;
  beforeEach(() => (trust = createTrust()));

  /** One commit after the other: `+` with a hint before it, `-` without. */
  async function commits(marks: string): Promise<boolean> {
    for (const mark of marks) {
      if (mark === '+') trust.hinted();
      trust.committed();
      await new Promise(setImmediate);
    }
    return trust.hints;
  }

  it('needs a hint', async () => {
    expect(trust.hints).to.equal(false);
    expect(await commits('+')).to.equal(true);
  });

  it('bears one commit that was seen before its hint, and not two', async () => {
    expect(await commits('+-')).to.equal(true);
    expect(await commits('-')).to.equal(false);
    expect(await commits('+++++')).to.equal(true);
  });

  it('takes a hint that comes in the same turn of the event loop', async () => {
    trust.committed();
    trust.hinted();
    await new Promise(setImmediate);
    expect(await commits('-')).to.equal(true);
  });

  it('does not come back where our own commits have hints and those of others have not', async () => {
    await commits('+-+-+-');
    expect(await commits('+')).to.equal(false);
  });
});
