import { expect } from 'chai';
import { planImport, type Held, type Known } from '#src/exchange/plan.js';
import type { Cursor } from '#src/wire/cursor.js';

const EPOCH = 'e1';
const SHA256 = 'f'.repeat(64);

function at(logId: number): Cursor {
  return { epoch: EPOCH, logId, mark: `${logId}a` };
}

function file(since: number, end: number, epoch = EPOCH): Held {
  return { epoch, since: since === 0 ? null : at(since), end: at(end), sha256: SHA256 };
}

function known(cursor: number, claimed: number, imported: string | null = null): Known {
  const claim = { log_id: claimed, mark: claimed === 0 ? '' : `${claimed}a` };
  return { cursor: cursor === 0 ? '' : `${EPOCH}.${cursor}.${cursor}a`, imported, claim };
}

const apply = (knownTo: number, claims = true, putBack: string | null = null) => {
  return { kind: 'apply', knownTo, putBack, claims };
};

describe('what is applied of a file of changes', () => {
  it('is all of it where nothing of that log is known', () => {
    expect(planImport(file(0, 50), known(0, 0))).to.deep.equal(apply(0));
  });

  it('is what follows the cursor, where that stands at the head of the log as it was', () => {
    expect(planImport(file(50, 90), known(50, 50))).to.deep.equal(apply(50));
    expect(planImport(file(20, 90), known(50, 50))).to.deep.equal(apply(50));
    expect(planImport(file(0, 50), known(50, 50))).to.deep.equal(apply(50));
  });

  it('is nothing where the cursor is past its end', () => {
    expect(planImport(file(0, 40), known(50, 50))).to.deep.equal({ kind: 'known' });
    expect(planImport(file(0, 40), known(50, 0))).to.deep.equal({ kind: 'known' });
  });

  it('is nothing where it begins after the cursor, which is told', () => {
    expect(planImport(file(60, 90), known(50, 50))).to.deep.equal({ kind: 'gap', from: 'e1.50.50a' });
    expect(planImport(file(60, 90), known(0, 0))).to.deep.equal({ kind: 'gap', from: '' });
  });

  it('begins at the claim again where pulls have left the cursor in the middle of the log', () => {
    expect(planImport(file(30, 90), known(50, 40))).to.deep.equal(apply(40, true, 'e1.40.40a'));
    expect(planImport(file(0, 90), known(50, 0))).to.deep.equal(apply(0, true, ''));
    expect(planImport(file(60, 90), known(50, 40))).to.deep.equal({ kind: 'gap', from: 'e1.40.40a' });
  });

  it('goes on at the cursor without a claim where the file does not reach back to the claim', () => {
    expect(planImport(file(45, 90), known(50, 40))).to.deep.equal(apply(50, false));
  });

  it('goes on where an import of the same file was interrupted', () => {
    expect(planImport(file(0, 90), known(50, 0, SHA256))).to.deep.equal(apply(50));
    expect(planImport(file(0, 90), known(50, 0, '0'.repeat(64)))).to.deep.equal(apply(0, true, ''));
  });

  it('is all of it where the log is of another epoch, and nothing where the file is a part of that log', () => {
    expect(planImport(file(0, 90, 'e2'), known(50, 50))).to.deep.equal(apply(0, true, ''));
    const part = { ...file(20, 90, 'e2') };
    expect(planImport(part, known(50, 50))).to.deep.equal({ kind: 'gap', from: '' });
  });
});
