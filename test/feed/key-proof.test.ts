import { expect } from 'chai';
import { isProof, keyProof } from '#src/wire/key-proof.js';
import { serveFeed } from './serve.js';

const KEY = 'k'.repeat(32);
const CHALLENGE = 'ab'.repeat(32);

async function healthOf(query: string, parts: Parameters<typeof serveFeed>[0]) {
  const feed = await serveFeed({ apiKeys: [KEY, 'other'.repeat(8)], ...parts });
  const health = (await (await fetch(`${feed.url}/health${query}`)).json()) as { proofs?: string[] };
  await feed.close();
  return { health, port: Number(new URL(feed.url).port) };
}

describe('the proof of a key', () => {
  it('is given for every key, to one who asks, with the address that was asked', async () => {
    const { health, port } = await healthOf(`?challenge=${CHALLENGE}`, { provesKeys: true });
    const subject = { challenge: CHALLENGE, node: 'desktop', host: '127.0.0.1', port };
    expect(health.proofs).to.have.length(2);
    expect(isProof(health.proofs?.[0], KEY, subject)).to.equal(true);
    expect(isProof(health.proofs?.[0], KEY, { ...subject, port: port + 1 })).to.equal(false);
    expect(isProof(health.proofs?.[0], KEY, { ...subject, node: 'laptop' })).to.equal(false);
    expect(JSON.stringify(health)).to.not.contain(KEY);
  });

  it('is not given where discovery is off, or to a question that is no challenge', async () => {
    expect((await healthOf(`?challenge=${CHALLENGE}`, {})).health).to.not.have.property('proofs');
    for (const query of [
      '',
      '?challenge=',
      '?challenge=x',
      `?challenge=${CHALLENGE}&challenge=${CHALLENGE}`,
    ]) {
      const { health } = await healthOf(query, { provesKeys: true });
      expect(health, query).to.not.have.property('proofs');
    }
  });

  it('is the same for a mapped IPv4 address, and for nothing that is no text', () => {
    const subject = { challenge: CHALLENGE, node: 'a', host: '10.0.0.1', port: 1 };
    const proof = keyProof(KEY, { ...subject, host: '::ffff:10.0.0.1' });
    expect(isProof(proof, KEY, subject)).to.equal(true);
    for (const odd of [null, 7, {}, '', proof.slice(1)]) expect(isProof(odd, KEY, subject)).to.equal(false);
  });
});
