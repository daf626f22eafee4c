import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { ApplyRequest } from '#src/threads/calls.js';
import { Writer } from '#src/threads/writer.js';
import { createDatabaseFile } from '../stand-ins/database-file.js';

/** A page of bob's, as an answer brings it to the writer of a replica that knows nothing of him. */
function pageOf(says: object): ApplyRequest {
  const body = Buffer.from(
    JSON.stringify({
      protocol: 1,
      node: 'bob',
      epoch: 'b0',
      server_time_ms: 0,
      has_more: false,
      behind: 0,
      ...says,
    }),
  );
  const sha256 = createHash('sha256').update(body).digest('hex');
  return { peer: 'bob', since: '', epoch: null, body, sha256 };
}

describe('the writer, as time passes', () => {
  it('applies what is stamped too far ahead when its time has come, and tells so once', async () => {
    const file = await createDatabaseFile('ann');
    let nowMs = Date.now();
    const stamp = nowMs + 3_600_000;
    const later = new Writer(file.config, () => nowMs);
    await later.open();
    const record = { id: 'w', english: 'an hour fast', updated_at: stamp };
    const change = { seq: 1, table: 'words', operation: 'upsert', key: ['w'], stamp, origin: 'bob@b0' };
    const page = {
      changes: [{ ...change, fingerprint: '0123456789abcdef', record }],
      next_cursor: 'b0.1.ab',
    };
    expect((await later.apply(pageOf(page))).quarantined).to.equal(1);
    expect(await later.retryDue()).to.equal(0);
    nowMs += 3_600_000 - file.config.clock.abortSkewMs - file.config.clock.maxSkewMs - 1;
    expect(await later.retryDue()).to.equal(0);
    nowMs += 1;
    expect(await later.retryDue()).to.equal(1);
    expect(await later.retryDue()).to.equal(0);
    await later.close();
    expect(file.app.prepare('SELECT english FROM words').pluck().all()).to.deep.equal(['an hour fast']);
    file.app.close();
  });
});
