import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { bitsOf } from '#src/doctor/key.js';
import { runCli } from '../replication/command-line.js';
import { createDatabaseFile } from '../stand-ins/database-file.js';

describe('doctor looks at the key', function () {
  this.timeout(60_000);

  it('and takes a random one, of letters or of hex digits, for a good one', () => {
    for (let round = 0; round < 200; round += 1) {
      expect(bitsOf(randomBytes(32).toString('base64url'))).to.be.above(80);
      expect(bitsOf(randomBytes(24).toString('hex'))).to.be.above(80);
    }
  });

  it('and knows what repeats itself, or counts', () => {
    const weak = [
      'a'.repeat(40),
      'password'.repeat(4),
      '1234567890'.repeat(4),
      'abcdefghijklmnopqrstuvwxyz0123456789',
    ];
    for (const key of weak) expect(bitsOf(key), key).to.be.below(80);
  });

  it('and names the variable and the place, never the key', async () => {
    const { file, app } = await createDatabaseFile('ann');
    app.close();
    const good = randomBytes(32).toString('base64url');
    const weak = 'secret'.repeat(7);
    const say = async (keys: string) =>
      (await runCli(['doctor', '--config', file], { env: { SYNC_API_KEY: keys } })).stdout;
    expect(await say(good))
      .to.include("the key in SYNC_API_KEY can't be guessed")
      .and.not.include(good);
    const said = await say(`${good},${weak}`);
    expect(said)
      .to.match(/warning +key +key 2 of 2 in SYNC_API_KEY/)
      .and.include('keygen');
    expect(said).to.not.include(weak).and.not.include(good);
    expect((await runCli(['doctor', '--config', file])).stdout).to.include('no key is set');
  });
});
